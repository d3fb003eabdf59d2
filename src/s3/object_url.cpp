#include "s3/object_url.hpp"

#include "text/codecs.hpp"

namespace dynabackup::s3 {

aws::endpoint bucket_endpoint(const client_settings& settings, const std::string& bucket) {
  aws::s3_endpoint_query query;
  query.region = settings.region;
  query.endpoint = settings.endpoint;
  query.fips = settings.fips;
  query.dualstack = settings.dualstack;
  query.bucket = bucket;
  query.force_path_style = settings.path_style;
  return aws::s3_endpoint(query);
}

object_url url_of(const aws::endpoint& bucket, std::string_view key, std::string_view query) {
  object_url url{bucket.base.where, bucket.base.path};
  if (!key.empty() || url.target.empty()) url.target += '/';
  url.target += text::percent_encode(key, true);
  if (!query.empty()) {
    url.target += '?';
    url.target += query;
  }
  return url;
}

void add_parameter(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query += name;
  query += '=';
  query += text::percent_encode(value);
}

}  // namespace dynabackup::s3
