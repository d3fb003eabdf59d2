#include "fakes/server/aws_service.hpp"

#include <exception>
#include <fmt/format.h>
#include <string>
#include <string_view>

#include "fakes/server/operation.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::string_view bucket_path = "/_fake/bucket/";
constexpr std::string_view table_path = "/_fake/table/";

response plain(int status, std::string_view content_type, std::string body) {
  response answer;
  answer.status = status;
  answer.headers.push_back({"Content-Type", std::string(content_type)});
  answer.body = std::move(body);
  return answer;
}

}  // namespace

response aws_service::handle(const request& r) {
  if (is_control(r)) return control(r);
  response answer = is_dynamodb(r) ? dynamodb_.handle(r) : s3_.handle(r);
  seen.served(r, answer);
  return answer;
}

response aws_service::control(const request& r) {
  if (r.method != "GET") return plain(405, "text/plain", "GET only\n");
  try {
    if (r.target == "/_fake/stats") return plain(200, "application/json", seen.json(dynamodb_.statistics()));
    if (r.target.starts_with(bucket_path)) return list_bucket(r.target.substr(bucket_path.size()));
    if (r.target.starts_with(table_path)) {
      return plain(200, "text/plain", dynamodb_.digest(r.target.substr(table_path.size())) + "\n");
    }
  } catch (const std::exception& failure) {
    return plain(404, "text/plain", fmt::format("{}\n", failure.what()));
  }
  return plain(404, "text/plain", "GET /_fake/stats, /_fake/bucket/NAME or /_fake/table/NAME\n");
}

/// One line a key: how many versions, and the ETag of the current one unless that is a delete marker.
response aws_service::list_bucket(const std::string& name) {
  std::string lines;
  s3_.for_each_key(name, [&lines](const std::string& key, std::size_t versions, const std::string& etag) {
    lines += "{\"key\":";
    text::append_json_string(lines, key);
    lines += fmt::format(",\"versions\":{},\"etag\":", versions);
    lines += etag.empty() ? "null}\n" : fmt::format("\"{}\"}}\n", etag);
  });
  return plain(200, "application/x-ndjson", std::move(lines));
}

}  // namespace dynabackup::fakes
