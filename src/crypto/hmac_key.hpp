// A key that signs many messages with HMAC-SHA-256: what the key alone determines is hashed once (RFC 2104 section 4).
// Defined in sha256.cpp, with all else that knows OpenSSL's SHA-256.
#pragma once
#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/sha256.hpp"

namespace dynabackup::crypto {

class hmac_key {
 public:
  /// Implicit: a digest is a key as it is, when only one message is to be signed.
  hmac_key(const digest& key);  // NOLINT(google-explicit-constructor)
  [[nodiscard]] digest sign(std::string_view message) const;
  bool operator==(const hmac_key&) const = default;

 private:
  // The hash's state behind the padded key, a block long; as secret as the key.
  std::array<std::uint32_t, 8> inner_, outer_;
};

}  // namespace dynabackup::crypto
