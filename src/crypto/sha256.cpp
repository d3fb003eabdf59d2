// OpenSSL's low-level calls: half the cost of EVP on the short texts that signing hashes. Deprecated in 3.0, present
// in all of 3.x; this file is the only one that knows.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/sha256.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <utility>

#include "crypto/hmac_key.hpp"
#include "text/codecs.hpp"

namespace dynabackup::crypto {
namespace {

constexpr std::size_t block_bytes = SHA256_CBLOCK;

digest finish(SHA256_CTX& context) {
  digest out;
  SHA256_Final(out.data(), &context);
  return out;
}

constexpr unsigned char inner_pad = 0x36;
constexpr unsigned char outer_pad = 0x5c;

/// Where one half of an HMAC starts: the state behind the padded key, before any message.
SHA256_CTX behind_key(std::string_view key, unsigned char pad_byte) {
  std::array<unsigned char, block_bytes> pad;
  pad.fill(pad_byte);
  for (std::size_t i = 0; i < key.size(); ++i) pad[i] ^= static_cast<unsigned char>(key[i]);
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, pad.data(), pad.size());
  OPENSSL_cleanse(pad.data(), pad.size());
  return context;
}

digest finish_hmac(SHA256_CTX inner, SHA256_CTX outer, std::string_view message) {
  SHA256_Update(&inner, message.data(), message.size());
  const digest hash = finish(inner);
  SHA256_Update(&outer, hash.data(), hash.size());
  return finish(outer);
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
  digest shortened;
  if (key.size() > block_bytes) {
    shortened = sha256(key);
    key = view(shortened);
  }
  return finish_hmac(behind_key(key, inner_pad), behind_key(key, outer_pad), message);
}

std::string md5_hex(std::string_view bytes) { return text::hex(view(md5(bytes))); }
std::string md5_base64(std::string_view bytes) { return text::base64(view(md5(bytes))); }

hmac_key::hmac_key(const digest& key) {
  const auto keep = [&key](std::array<std::uint32_t, 8>& state, unsigned char pad_byte) {
    std::ranges::copy(behind_key(view(key), pad_byte).h, state.begin());
  };
  keep(inner_, inner_pad);
  keep(outer_, outer_pad);
}

digest hmac_key::sign(std::string_view message) const {
  const auto resume = [](const std::array<std::uint32_t, 8>& state) {
    SHA256_CTX context;
    SHA256_Init(&context);
    std::ranges::copy(state, context.h);
    context.Nl = block_bytes * 8;  // bits so far
    return context;
  };
  return finish_hmac(resume(inner_), resume(outer_), message);
}

struct sha256_stream::state {
  SHA256_CTX context;
};

sha256_stream::sha256_stream() : state_(std::make_unique<state>()) { SHA256_Init(&state_->context); }
sha256_stream::~sha256_stream() = default;
sha256_stream::sha256_stream(sha256_stream&&) noexcept = default;

void sha256_stream::update(std::string_view bytes) { SHA256_Update(&state_->context, bytes.data(), bytes.size()); }

std::string sha256_stream::finish_hex() { return text::hex(view(finish(state_->context))); }

}  // namespace dynabackup::crypto
