// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) and MD5 (RFC 1321, for ETags and Content-MD5 only) over OpenSSL.
#pragma once
#include <array>
#include <memory>
#include <string>
#include <string_view>

namespace dynabackup::crypto {

using digest = std::array<unsigned char, 32>;

digest sha256(std::string_view bytes);
std::string sha256_hex(std::string_view bytes);
digest hmac_sha256(std::string_view key, std::string_view message);
std::string md5_hex(std::string_view bytes);
std::string md5_base64(std::string_view bytes);

/// Bytes that come in pieces.
class sha256_stream {
 public:
  sha256_stream();
  ~sha256_stream();
  sha256_stream(sha256_stream&&) noexcept;
  void update(std::string_view bytes);
  /// Ends it; call once.
  std::string finish_hex();

 private:
  struct state;
  std::unique_ptr<state> state_;
};

/// A digest's bytes as a view, for chaining HMACs.
inline std::string_view as_bytes(const digest& d) { return {reinterpret_cast<const char*>(d.data()), d.size()}; }

}  // namespace dynabackup::crypto
