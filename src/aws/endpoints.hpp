// Which host answers for a service in a region (AWS General Reference, "Service endpoints"). Pure.
#pragma once
#include <optional>
#include <string>

#include "http/url.hpp"

namespace dynabackup::aws {

struct endpoint_query {
  std::string region;
  std::optional<std::string> endpoint;  ///< custom URL; cannot be combined with FIPS or dual stack
  bool fips = false;
  bool dualstack = false;
  std::optional<std::string> account_id;
  std::string account_id_endpoint_mode = "disabled";  ///< "preferred", "required"
};

struct endpoint {
  http::url base;
  std::string signing_region;
};

/// usage_error when the combination does not exist.
endpoint dynamodb_endpoint(const endpoint_query& query);
endpoint dynamodb_streams_endpoint(const endpoint_query& query);
endpoint sts_endpoint(const endpoint_query& query);
endpoint lambda_endpoint(const endpoint_query& query);

/// S3 with the bucket's place decided: virtual host where the name allows it, else path style.
struct s3_endpoint_query : endpoint_query {
  std::string bucket;
  bool force_path_style = false;
};
endpoint s3_endpoint(const s3_endpoint_query& query);

}  // namespace dynabackup::aws
