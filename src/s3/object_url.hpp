// Where an object is: origin and request target, from a bucket, a key and a query. Pure. Virtual host or path style is
// aws::s3_endpoint's decision; a custom endpoint's base path is kept.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "aws/endpoints.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::s3 {

/// How a bucket is reached, and what every write carries.
struct client_settings {
  std::string region;
  std::optional<std::string> endpoint;
  bool path_style = false;
  bool fips = false;
  bool dualstack = false;
  std::string sse;  ///< x-amz-server-side-encryption, empty for the bucket's default
  std::string kms_key_id;
};

/// usage_error where no endpoint fits the settings.
aws::endpoint bucket_endpoint(const client_settings& settings, const std::string& bucket);

struct object_url {
  origin to;
  std::string target;
};

/// The key's bytes are percent-encoded once, '/' stays, nothing is tidied ("a//b", "../x"); an empty key is the bucket.
/// `query` is encoded already and without '?'.
object_url url_of(const aws::endpoint& bucket, std::string_view key, std::string_view query);
/// Appends name=value, value encoded, behind a '&' where one is due.
void add_parameter(std::string& query, std::string_view name, std::string_view value);

}  // namespace dynabackup::s3
