// A signed request for the price of its hashes: all of it is spelled once, and only what differs from one to the next
// (a key, a body, the hash of the payload, the signature) is written into its place.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED  // the entry points without a fetch are the cheapest there are
#include <cstddef>
#include <openssl/sha.h>
#include <string>
#include <string_view>

namespace dynabackup::bench {

struct request_shape {
  std::string method;
  std::string target;
  std::string host;
  std::string service;    ///< "s3" or "dynamodb"
  std::string operation;  ///< of DynamoDB; else empty
  std::string body;
};

/// SigV4 with the day's key. Hosts, dates and names are constant, so their hash states are kept where they can be.
class prebuilt_request {
 public:
  explicit prebuilt_request(const request_shape& shape);

  /// Places in the bytes that leave, to be written over before sign(); what changes keeps its length.
  [[nodiscard]] char* target() { return text_.data() + target_; }
  [[nodiscard]] char* body() { return text_.data() + body_; }
  /// Hashes and signs what is there now.
  void sign();
  [[nodiscard]] std::string_view bytes() const { return text_; }

 private:
  struct mac_key {
    SHA256_CTX inner, outer;
  };
  void spell(const request_shape& shape, std::string_view scope);
  void hash_payload();

  std::string text_, canonical_;
  std::size_t target_ = 0, target_bytes_ = 0, body_ = 0, body_bytes_ = 0;
  std::size_t payload_hash_ = 0, signature_ = 0;                               // in text_
  std::size_t canonical_target_ = 0, canonical_hash_ = 0, canonical_end_ = 0;  // in canonical_
  mac_key key_{};  // `inner` has taken in the string to sign up to the hash of the canonical request
};

}  // namespace dynabackup::bench
