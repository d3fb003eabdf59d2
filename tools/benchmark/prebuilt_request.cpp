#include "prebuilt_request.hpp"

#include <array>
#include <chrono>
#include <cstring>
#include <ctime>
#include <fmt/chrono.h>
#include <fmt/format.h>

namespace dynabackup::bench {
namespace {

using digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

constexpr std::size_t hash_digits = 2 * SHA256_DIGEST_LENGTH;
constexpr std::string_view access_key = "AKIDEXAMPLE";
constexpr std::string_view secret_key = "AWS4wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
constexpr std::string_view region = "us-east-1";

std::string_view as_bytes(const digest& d) { return {reinterpret_cast<const char*>(d.data()), d.size()}; }

void write_hex(const digest& d, char* to) {
  for (const unsigned char byte : d) {
    *to++ = "0123456789abcdef"[byte >> 4];
    *to++ = "0123456789abcdef"[byte & 15];
  }
}

digest finish(SHA256_CTX state, std::string_view bytes) {
  digest d;
  SHA256_Update(&state, bytes.data(), bytes.size());
  SHA256_Final(d.data(), &state);
  return d;
}

SHA256_CTX begin() {
  SHA256_CTX state;
  SHA256_Init(&state);
  return state;
}

/// The state after a block of the key under HMAC's padding.
SHA256_CTX keyed(std::string_view key, unsigned char padding) {
  std::array<unsigned char, SHA256_CBLOCK> block{};
  std::memcpy(block.data(), key.data(), key.size());  // none is longer than a block
  for (unsigned char& byte : block) byte ^= padding;
  SHA256_CTX state = begin();
  SHA256_Update(&state, block.data(), block.size());
  return state;
}

constexpr unsigned char inner_padding = 0x36, outer_padding = 0x5c;

digest hmac(std::string_view key, std::string_view message) {
  const digest inner = finish(keyed(key, inner_padding), message);
  return finish(keyed(key, outer_padding), as_bytes(inner));
}

}  // namespace

prebuilt_request::prebuilt_request(const request_shape& shape) {
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  const std::string date = fmt::format("{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
  const std::string day = date.substr(0, date.find('T'));
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, shape.service);

  digest signing = hmac(secret_key, day);
  for (const std::string_view part : {region, std::string_view(shape.service), std::string_view("aws4_request")})
    signing = hmac(as_bytes(signing), part);
  key_ = {keyed(as_bytes(signing), inner_padding), keyed(as_bytes(signing), outer_padding)};
  const std::string before_hash = fmt::format("AWS4-HMAC-SHA256\n{}\n{}\n", date, scope);
  SHA256_Update(&key_.inner, before_hash.data(), before_hash.size());

  canonical_ = fmt::format("{}\n{}\n\nhost:{}\nx-amz-content-sha256:", shape.method, shape.target, shape.host);
  canonical_target_ = shape.method.size() + 1;
  canonical_hash_ = canonical_.size();
  canonical_.append(hash_digits, '0') += "\nx-amz-date:" + date;
  if (!shape.operation.empty()) canonical_ += "\nx-amz-target:" + shape.operation;
  canonical_ += "\n\nhost;x-amz-content-sha256;x-amz-date";
  if (!shape.operation.empty()) canonical_ += ";x-amz-target";
  canonical_ += '\n';
  canonical_end_ = canonical_.size();
  canonical_.append(hash_digits, '0');

  text_ = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\nx-amz-date: {}\r\n", shape.method,
                      shape.target, shape.host, shape.body.size(), date);
  spell(shape, scope);
  sign();
}

/// What follows the first headers.
void prebuilt_request::spell(const request_shape& shape, std::string_view scope) {
  target_ = shape.method.size() + 1;
  target_bytes_ = shape.target.size();
  const bool dynamodb = !shape.operation.empty();
  if (dynamodb) {
    text_ += fmt::format("Content-Type: application/x-amz-json-1.0\r\nx-amz-target: {}\r\n", shape.operation);
  }
  text_ += "x-amz-content-sha256: ";
  payload_hash_ = text_.size();
  text_.append(hash_digits, '0');
  text_ += fmt::format(
      "\r\nAuthorization: AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders=host;x-amz-content-sha256;x-amz-date{}, "
      "Signature=",
      access_key, scope, dynamodb ? ";x-amz-target" : "");
  signature_ = text_.size();
  text_.append(hash_digits, '0') += "\r\n\r\n";
  body_ = text_.size();
  body_bytes_ = shape.body.size();
  text_ += shape.body;
  hash_payload();
}

void prebuilt_request::hash_payload() {
  write_hex(finish(begin(), {text_.data() + body_, body_bytes_}), text_.data() + payload_hash_);
  std::memcpy(canonical_.data() + canonical_hash_, text_.data() + payload_hash_, hash_digits);
  std::memcpy(canonical_.data() + canonical_end_, text_.data() + payload_hash_, hash_digits);
}

void prebuilt_request::sign() {
  if (body_bytes_ > 0) hash_payload();
  std::memcpy(canonical_.data() + canonical_target_, text_.data() + target_, target_bytes_);
  std::array<char, hash_digits> hash;
  write_hex(finish(begin(), canonical_), hash.data());
  const digest inner = finish(key_.inner, {hash.data(), hash.size()});
  write_hex(finish(key_.outer, as_bytes(inner)), text_.data() + signature_);
}

}  // namespace dynabackup::bench
