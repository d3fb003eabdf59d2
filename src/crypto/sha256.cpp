// OpenSSL's low-level calls: half the cost of EVP on the short texts that signing hashes. Deprecated in 3.0, present
// in all of 3.x; this file is the only one that knows.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.hpp"

#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <utility>

#include "text/codecs.hpp"

namespace dynabackup::crypto {
namespace {

constexpr std::size_t block_bytes = SHA256_CBLOCK;

digest finish(SHA256_CTX& context) {
  digest out;
  SHA256_Final(out.data(), &context);
  return out;
}

/// One half of an HMAC: the hash of the padded key, then `message`.
digest keyed_hash(std::string_view key, unsigned char pad_byte, std::string_view message) {
  std::array<unsigned char, block_bytes> pad;
  pad.fill(pad_byte);
  for (std::size_t i = 0; i < key.size(); ++i) pad[i] ^= static_cast<unsigned char>(key[i]);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  SHA256_Update(&context, message.data(), message.size());
  OPENSSL_cleanse(pad.data(), pad.size());
  return finish(context);
}

std::array<unsigned char, MD5_DIGEST_LENGTH> md5(std::string_view bytes) {
  std::array<unsigned char, MD5_DIGEST_LENGTH> out;
  MD5_CTX context;
  MD5_Init(&context);
  MD5_Update(&context, bytes.data(), bytes.size());
  MD5_Final(out.data(), &context);
  return out;
}

template <std::size_t N>
std::string_view view(const std::array<unsigned char, N>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

digest sha256(std::string_view bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, bytes.data(), bytes.size());
  return finish(context);
}

std::string sha256_hex(std::string_view bytes) { return text::hex(view(sha256(bytes))); }

digest hmac_sha256(std::string_view key, std::string_view message) {
  constexpr unsigned char inner_pad = 0x36;
  constexpr unsigned char outer_pad = 0x5c;
  digest shortened;
  if (key.size() > block_bytes) {
    shortened = sha256(key);
    key = view(shortened);
  }
  const digest inner = keyed_hash(key, inner_pad, message);
  return keyed_hash(key, outer_pad, view(inner));
}

std::string md5_hex(std::string_view bytes) { return text::hex(view(md5(bytes))); }
std::string md5_base64(std::string_view bytes) { return text::base64(view(md5(bytes))); }

struct sha256_stream::state {
  SHA256_CTX context;
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) { SHA256_Init(&state_->context); }
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;

void sha256_stream::update(std::string_view bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

std::string sha256_stream::finish_hex() { return text::hex(view(finish(state_->context))); }

}  // namespace dynabackup::crypto
