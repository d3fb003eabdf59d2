#include "s3/client.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "s3/region_redirect.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::s3 {
namespace {

constexpr std::size_t max_list_bytes = std::size_t{16} << 20;  ///< 1,000 entries, each escaped byte three long
constexpr std::size_t max_error_bytes = std::size_t{1} << 20;
/// Ours, and those that signing and retrying add.
constexpr std::size_t usual_headers = 16;

bool printable_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

/// A bare 404 tells no more than that; where there is a body, only these codes mean that the object is not there.
bool is_absent(const response& answer) {
  if (answer.status != 404) return false;
  const std::string code = error_code(answer);
  return code == "NoSuchKey" || code == "NoSuchVersion" || answer.header_value("x-amz-delete-marker") == "true";
}

}  // namespace

client::client(transport& network, client_settings settings) : network_(network), settings_(std::move(settings)) {}

std::chrono::milliseconds client::transfer_timeout(std::uint64_t bytes) {
  return std::chrono::seconds{60 + std::min<std::uint64_t>(bytes >> 18, 86'400)};
}

request client::make(std::string_view method, const std::string& bucket, std::string_view key, std::string_view query) {
  const aws::endpoint& place = place_of(bucket);
  object_url url = url_of(place, key, query);
  request r;
  r.method = method;
  r.to = std::move(url.to);
  r.signing_region = place.signing_region;
  r.target = std::move(url.target);
  r.headers.reserve(usual_headers);
  r.max_response_bytes = max_error_bytes;
  return r;
}

const aws::endpoint& client::place_of(const std::string& bucket) {
  auto place = places_.find(bucket);
  if (place == places_.end()) place = places_.emplace(bucket, bucket_endpoint(settings_, bucket)).first;
  return place->second;
}

task<response> client::send(request& r, const std::string& bucket) {
  response answer = co_await exchange(r);
  if (!is_misdirected(r, answer)) co_return answer;
  const std::string region = co_await region_of(bucket, answer);
  if (!aim(r, bucket, region, answer)) co_return answer;
  const bool unsettled = answer.unsettled;
  answer = response{};  // its share of the byte budget must not be held while the next answer wants one
  answer = co_await exchange(r);
  answer.unsettled = answer.unsettled || unsettled;
  const std::string next = region_named_by(answer);
  const bool circle = answer.status == 301 || answer.status == 307 || (!next.empty() && next != r.signing_region);
  if (circle && is_misdirected(r, answer)) {
    throw error(
        fmt::format("S3 sends requests for bucket {} from one region to the next and answers them in none "
                    "(the last was {}): set S3_REGION to the bucket's region",
                    bucket, r.signing_region));
  }
  co_return answer;
}

/// The region an answer names, else HeadBucket's header, which S3 sends whatever it answers.
task<std::string> client::region_of(const std::string& bucket, const response& misdirected) {
  std::string region = region_named_by(misdirected);
  if (region.empty()) {
    request r = make("HEAD", bucket, {}, {});
    const response answer = co_await exchange(r);
    region = region_named_by(answer);
  }
  co_return region;
}

/// Where to send `r` a second time; false: nowhere better is known.
bool client::aim(request& r, const std::string& bucket, const std::string& region, const response& misdirected) {
  if (!region.empty() && region != r.signing_region) {
    client_settings there = settings_;
    there.region = region;
    aws::endpoint place = bucket_endpoint(there, bucket);
    if (!settings_.endpoint && !same_domain(place, place_of(bucket))) return false;
    r.to = place.base.where;
    r.signing_region = place.signing_region;
    places_.insert_or_assign(bucket, std::move(place));
    return true;
  }
  if (settings_.endpoint || settings_.fips || settings_.dualstack) return false;
  const auto host = temporary_host(r, misdirected);
  if (host) r.to = *host;
  return host.has_value();
}

task<response> client::exchange(request& r) {
  response answer = co_await network_.send(r);
  if (const auto date = text::parse_http_date(answer.header_value("Date"))) service_time_ = *date;
  co_return answer;
}

void client::limit(request& r, attempt_options attempts) {
  if (attempts.timeout.count() > 0) r.attempt_timeout = attempts.timeout;
  r.before_attempt = std::move(attempts.before_attempt);
}

/// Content-Type, x-amz-server-side-encryption*, x-amz-meta-* (PutObject, CreateMultipartUpload).
void client::describe_write(request& r, const put_options& options) const {
  r.headers.push_back({"Content-Type", options.content_type});
  if (!settings_.sse.empty()) r.headers.push_back({"x-amz-server-side-encryption", settings_.sse});
  if (!settings_.kms_key_id.empty()) {
    r.headers.push_back({"x-amz-server-side-encryption-aws-kms-key-id", settings_.kms_key_id});
  }
  for (const auto& [name, value] : options.meta) {
    // Anything else comes back altered (RFC 2047) or would end the header.
    if (!printable_ascii(name) || !printable_ascii(value)) {
      throw format_error(
          fmt::format("metadata {} cannot be sent to S3: not printable ASCII", printable_ascii(name) ? name : "name"));
    }
    r.headers.push_back({"x-amz-meta-" + name, value});
  }
}

/// PUT /key, Content-MD5, If-None-Match: * (PutObject).
task<put_result> client::put_object(std::string bucket, std::string key, std::string body, put_options options) {
  request r = make("PUT", bucket, key, {});
  r.headers.push_back({"Content-MD5", crypto::md5_base64(body)});
  describe_write(r, options);
  if (options.if_none_match) r.headers.push_back({"If-None-Match", "*"});
  if (!options.if_match.empty()) r.headers.push_back({"If-Match", '"' + options.if_match + '"'});
  r.attempt_timeout = options.attempt_timeout.count() > 0 ? options.attempt_timeout : transfer_timeout(body.size());
  r.before_attempt = std::move(options.before_attempt);
  r.body = std::move(body);
  const response answer = co_await send(r, bucket);
  const bool refused = (answer.status == 412 && (options.if_none_match || !options.if_match.empty())) ||
                       (!options.if_match.empty() && is_absent(answer));
  if (refused) co_return put_result{.stored = false, .etag = {}, .version_id = {}, .unsettled = answer.unsettled};
  const call_name call{"PutObject", std::move(bucket), std::move(key)};
  require_success(answer, call);
  co_return put_result{true, etag_of(answer, call), version_id_of(answer), answer.unsettled};
}

/// GET /key[?versionId=V], Range, If-Match (GetObject).
task<std::optional<object_body>> client::get_object(std::string bucket, std::string key, get_options options) {
  std::string query;
  if (!options.version_id.empty()) add_parameter(query, "versionId", options.version_id);
  request r = make("GET", bucket, key, query);
  r.max_response_bytes = std::size_t{64} << 20;
  if (options.range) {
    const std::uint64_t bytes = options.range->last - options.range->first + 1;
    r.headers.push_back({"Range", fmt::format("bytes={}-{}", options.range->first, options.range->last)});
    r.max_response_bytes = std::max<std::size_t>(bytes, max_error_bytes);
    r.attempt_timeout = transfer_timeout(bytes);
  }
  if (!options.if_match.empty()) r.headers.push_back({"If-Match", '"' + options.if_match + '"'});
  r.budget = options.budget;
  if (options.attempt_timeout.count() > 0) r.attempt_timeout = options.attempt_timeout;
  response answer = co_await send(r, bucket);
  // 405: the version asked for is a delete marker.
  if (is_absent(answer) || (answer.status == 405 && !options.version_id.empty())) co_return std::nullopt;
  const call_name call{"GetObject", std::move(bucket), std::move(key)};
  require_success(answer, call);
  object_body object{read_head(answer, call), {}};
  if (!options.range && answer.status != 200) throw_failure(answer, call);
  object.head.size = options.range ? ranged_size(answer, *options.range, call) : answer.body.size();
  object.answer = std::move(answer);
  co_return object;
}

/// HEAD /key[?versionId=V] (HeadObject). It has no body: a missing bucket and a missing key look alike.
task<std::optional<object_head>> client::head_object(std::string bucket, std::string key, std::string version_id,
                                                     attempt_options attempts) {
  std::string query;
  if (!version_id.empty()) add_parameter(query, "versionId", version_id);
  request r = make("HEAD", bucket, key, query);
  limit(r, std::move(attempts));
  const response answer = co_await send(r, bucket);
  if (answer.status == 404 || (answer.status == 405 && !version_id.empty())) co_return std::nullopt;
  const call_name call{"HeadObject", std::move(bucket), std::move(key)};
  require_success(answer, call);
  object_head head = read_head(answer, call);
  head.size = content_length(answer, call);
  co_return head;
}

/// DELETE /key[?versionId=V] (DeleteObject).
task<std::string> client::delete_object(std::string bucket, std::string key, std::string version_id,
                                        attempt_options attempts) {
  std::string query;
  if (!version_id.empty()) add_parameter(query, "versionId", version_id);
  request r = make("DELETE", bucket, key, query);
  limit(r, std::move(attempts));
  const response answer = co_await send(r, bucket);
  if (is_absent(answer)) co_return std::string{};
  require_success(answer, {"DeleteObject", std::move(bucket), std::move(key)});
  const bool left_marker = version_id.empty() && answer.header_value("x-amz-delete-marker") == "true";
  co_return left_marker ? version_id_of(answer) : std::string{};
}

/// DELETE /key, If-Match (DeleteObject, conditional or not).
task<marker_result> client::leave_marker(std::string bucket, std::string key, std::string if_match,
                                         attempt_options attempts) {
  request r = make("DELETE", bucket, key, {});
  limit(r, std::move(attempts));
  if (!if_match.empty()) r.headers.push_back({"If-Match", '"' + if_match + '"'});
  const response answer = co_await send(r, bucket);
  const bool refused = !if_match.empty() && (answer.status == 412 || is_absent(answer));
  if (refused) co_return marker_result{.left = false, .version_id = {}, .unsettled = answer.unsettled};
  if (!is_absent(answer)) require_success(answer, {"DeleteObject", std::move(bucket), std::move(key)});
  co_return marker_result{.left = true, .version_id = version_id_of(answer), .unsettled = answer.unsettled};
}

/// GET /?list-type=2&… (ListObjectsV2).
task<list_page> client::list_objects_v2(std::string bucket, list_options options) {
  std::string query = fmt::format("list-type=2&encoding-type=url&max-keys={}", options.max_keys);
  if (!options.prefix.empty()) add_parameter(query, "prefix", options.prefix);
  if (!options.start_after.empty()) add_parameter(query, "start-after", options.start_after);
  if (options.token) add_parameter(query, "continuation-token", *options.token);
  request r = make("GET", bucket, {}, query);
  r.max_response_bytes = max_list_bytes;
  const response answer = co_await send(r, bucket);
  require_success(answer, {"ListObjectsV2", std::move(bucket), {}});
  co_return read_list_page(answer.body);
}

/// GET /?versions&… (ListObjectVersions).
task<version_page> client::list_object_versions(std::string bucket, std::string prefix,
                                                std::optional<std::string> key_marker, std::string version_id_marker,
                                                int max_keys) {
  std::string query = fmt::format("versions=&encoding-type=url&max-keys={}", max_keys);
  if (!prefix.empty()) add_parameter(query, "prefix", prefix);
  if (key_marker) add_parameter(query, "key-marker", *key_marker);
  if (!version_id_marker.empty()) add_parameter(query, "version-id-marker", version_id_marker);
  request r = make("GET", bucket, {}, query);
  r.max_response_bytes = max_list_bytes;
  const response answer = co_await send(r, bucket);
  require_success(answer, {"ListObjectVersions", bucket, {}});
  version_page page = read_version_page(answer.body);
  if (page.next_key_marker && page.next_key_marker == key_marker && page.next_version_id_marker == version_id_marker)
    throw format_error("S3's ListObjectVersions answers for " + bucket + " lead in a circle");
  co_return page;
}

/// GET /?versioning (GetBucketVersioning).
task<versioning> client::get_bucket_versioning(std::string bucket) {
  request r = make("GET", bucket, {}, "versioning=");
  const response answer = co_await send(r, bucket);
  require_success(answer, {"GetBucketVersioning", bucket, {}});
  const auto status = child_text(answer.body, "VersioningConfiguration", "Status");
  if (status == "Enabled") co_return versioning::enabled;
  if (status == "Suspended") co_return versioning::suspended;
  if (status == "") co_return versioning::never_enabled;
  throw format_error(fmt::format("S3's GetBucketVersioning answer for {} cannot be read", bucket));
}

/// GET /?lifecycle (GetBucketLifecycleConfiguration).
task<std::vector<lifecycle_rule>> client::get_bucket_lifecycle(std::string bucket) {
  request r = make("GET", bucket, {}, "lifecycle=");
  const response answer = co_await send(r, bucket);
  const std::string code = answer.status / 100 == 2 ? "" : error_code(answer);
  if (code == "NoSuchLifecycleConfiguration" || code == "NotImplemented") co_return std::vector<lifecycle_rule>{};
  require_success(answer, {"GetBucketLifecycleConfiguration", std::move(bucket), {}});
  co_return read_lifecycle(answer.body);
}

}  // namespace dynabackup::s3
