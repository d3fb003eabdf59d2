// Signature Version 4 (AWS General Reference, "Signing AWS API requests"; S3 API Reference, "Authenticating Requests:
// Using the Authorization Header"). Pure: text in, text out, each stage apart so that a vector's failure names its
// stage.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/credentials.hpp"
#include "crypto/hmac_key.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::aws::sigv4 {

/// The two dialects. S3 signs the wire path as it is; everybody else normalises it and encodes it once more.
struct rules {
  bool double_encode_path = true;
  bool normalize_path = true;
  bool content_sha256_header = false;  ///< send and sign x-amz-content-sha256
  bool omit_session_token = false;     ///< add X-Amz-Security-Token after signing instead of before
};
inline constexpr rules dynamodb_rules{};
inline constexpr rules s3_rules{.double_encode_path = false, .normalize_path = false, .content_sha256_header = true};

struct scope {
  std::string region;
  std::string service;    ///< "dynamodb" (Streams too), "s3", "sts"
  std::string timestamp;  ///< YYYYMMDD'T'HHMMSS'Z', UTC
  [[nodiscard]] std::string_view date() const { return std::string_view(timestamp).substr(0, 8); }
  [[nodiscard]] std::string text() const;  ///< "date/region/service/aws4_request"
};

inline constexpr std::string_view unsigned_payload = "UNSIGNED-PAYLOAD";

/// Stages. `headers` are all headers to consider, Host included; hop-by-hop and proxy-mutable ones are never signed.
struct canonical {
  std::string request;
  std::string signed_headers;
};
canonical canonical_request(std::string_view method, std::string_view target, const std::vector<header>& headers,
                            std::string_view payload_hash, const rules& dialect);
std::string string_to_sign(const scope& where, std::string_view canonical_request);
std::array<unsigned char, 32> signing_key(std::string_view secret, const scope& where);
std::string signature(const crypto::hmac_key& key, std::string_view string_to_sign);

/// The signing key of one (secret, date, region, service), ready for use and kept until one of them changes: deriving
/// it is most of the hashing that a small request costs.
class key_cache {
 public:
  const crypto::hmac_key& of(std::string_view secret, const scope& where);

 private:
  std::string secret_, date_, region_, service_;
  std::optional<crypto::hmac_key> key_;
};

/// All of it: sets X-Amz-Date, x-amz-content-sha256 and X-Amz-Security-Token as the dialect wants, then Authorization;
/// what an earlier attempt set is replaced. `payload_hash`: lower hex SHA-256 of the body, or unsigned_payload.
/// Without a cache the signing key is derived anew.
void sign(request& r, const credentials& who, const scope& where, std::string_view payload_hash, const rules& dialect,
          key_cache* keys = nullptr);

/// The query form ("presigned URL"): `target` with the X-Amz-* parameters and the signature.
std::string presign(const request& r, const credentials& who, const scope& where, int expires_seconds,
                    std::string_view payload_hash, const rules& dialect);

}  // namespace dynabackup::aws::sigv4
