// PutObject, GetObject, HeadObject, DeleteObject, and the checks that other writes share with them.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "crypto/crc32.hpp"
#include "crypto/sha256.hpp"
#include "fakes/aws/http_date.hpp"
#include "fakes/aws/s3_service.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

constexpr std::size_t longest_key = 1024;
constexpr std::size_t most_metadata = 2048;
constexpr std::string_view meta_prefix = "x-amz-meta-";
constexpr std::string_view md5_header = "content-md5";
constexpr std::string_view crc32_header = "x-amz-checksum-crc32";
constexpr std::string_view sha256_header = "x-amz-checksum-sha256";

refusal precondition_failed(std::string condition) {
  return {412,
          "PreconditionFailed",
          "At least one of the pre-conditions you specified did not hold",
          {{"Condition", std::move(condition)}}};
}

refusal no_such_key(const std::string& key) {
  return {404, "NoSuchKey", "The specified key does not exist.", {{"Key", key}}};
}

void check_content_md5(std::string_view given, const md5_digest& md5) {
  const auto expected = text::unbase64(given);
  if (!expected || expected->size() != md5.size()) {
    throw refusal{
        400, "InvalidDigest", "The Content-MD5 you specified was invalid.", {{"Content-MD5", std::string(given)}}};
  }
  if (!std::ranges::equal(*expected, md5, {}, [](char c) { return static_cast<unsigned char>(c); })) {
    throw refusal{400, "BadDigest", "The Content-MD5 you specified did not match what we received."};
  }
}

void check_checksum(std::string_view name, std::string_view given, std::string_view body) {
  std::string expected;
  if (name == crc32_header) {
    const std::uint32_t sum = crypto::crc32(body);
    for (int shift = 24; shift >= 0; shift -= 8) expected += static_cast<char>(sum >> shift);
  } else if (name == sha256_header) {
    const crypto::digest sum = crypto::sha256(body);
    expected = crypto::as_bytes(sum);
  } else {
    return;
  }
  if (text::unbase64(given) == expected) return;
  throw refusal{400, "BadDigest", fmt::format("The {} you specified did not match what we received.", name)};
}

bool same_etag(std::string_view condition, const version& v) {
  if (condition == "*") return true;
  if (condition.starts_with('"') && condition.ends_with('"') && condition.size() > 1) {
    condition = condition.substr(1, condition.size() - 2);
  }
  return condition == v.tag.text();
}

/// The version that a GET or HEAD is about; throws what S3 says when there is none to show.
const version& shown_version(const s3_call& call, const bucket& in) {
  const std::string* const id = call.parameter("versionId");
  if (id == nullptr) {
    const version* const latest = in.current(call.key);
    if (latest != nullptr && !latest->marker()) return *latest;
    refusal absent = no_such_key(call.key);
    if (latest != nullptr) absent.headers = {{"x-amz-delete-marker", "true"}, {"x-amz-version-id", latest->id()}};
    throw absent;
  }
  const chain* const versions = in.keys.find(call.key);
  if (versions != nullptr) {
    const auto found = std::ranges::find_if(*versions, [&](const version& v) { return v.is(*id); });
    if (found != versions->end() && !found->marker()) return *found;
    if (found != versions->end()) {
      throw refusal{405,
                    "MethodNotAllowed",
                    "The specified method is not allowed against this resource.",
                    {{"Method", call.r.method}, {"ResourceType", "DeleteMarker"}},
                    {{"x-amz-delete-marker", "true"},
                     {"x-amz-version-id", found->id()},
                     {"Last-Modified", http_date(found->last_modified)},
                     {"Allow", "DELETE"}}};
    }
  }
  if (*id != "null" && !sequence_of_id(*id)) throw refusal{400, "InvalidArgument", "Invalid version id specified"};
  throw refusal{404, "NoSuchVersion", "The specified version does not exist.", {{"Key", call.key}, {"VersionId", *id}}};
}

void check_read_conditions(const s3_call& call, const version& v) {
  const std::string_view wanted = call.header_value("if-match");
  if (!wanted.empty() && !same_etag(wanted, v)) throw precondition_failed("If-Match");
  const std::string_view known = call.header_value("if-none-match");
  if (!known.empty() && same_etag(known, v)) {
    throw refusal{304, "NotModified", "", {}, {{"ETag", quoted(v.tag.text())}}};
  }
}

struct byte_range {
  std::uint64_t first;
  std::uint64_t last;
};

/// "bytes=a-b", "bytes=a-" or "bytes=-n"; nothing when it is another kind, which S3 ignores. Throws InvalidRange.
std::optional<byte_range> range_of(std::string_view text, std::uint64_t size) {
  if (!text.starts_with("bytes=")) return std::nullopt;
  text.remove_prefix(6);
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos || text.find(',') != std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<std::uint64_t> {
    std::uint64_t value = 0;
    const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (failure != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto first = number(text.substr(0, dash));
  const auto last = number(text.substr(dash + 1));
  const bool open = dash + 1 == text.size();
  if ((!first && dash != 0) || (!last && !open) || (!first && !last) || (first && last && *last < *first)) {
    return std::nullopt;
  }
  const std::uint64_t from = first ? *first : size - std::min(size, *last);
  if (from >= size || (!first && *last == 0)) {
    throw refusal{416,
                  "InvalidRange",
                  "The requested range is not satisfiable",
                  {{"RangeRequested", "bytes=" + std::string(text)}, {"ActualObjectSize", std::to_string(size)}},
                  {{"Content-Range", fmt::format("bytes */{}", size)}}};
  }
  return byte_range{from, first && last ? std::min(*last, size - 1) : size - 1};
}

void describe(response& answer, const version& v, const bucket& in) {
  answer.headers.push_back({"ETag", quoted(v.tag.text())});
  answer.headers.push_back({"Last-Modified", http_date(v.last_modified)});
  answer.headers.push_back({"Accept-Ranges", "bytes"});
  answer.headers.push_back({"Content-Type", std::string(v.what.content_type())});
  if (in.versioning != versioning_state::never) answer.headers.push_back({"x-amz-version-id", v.id()});
  for (const auto& [name, value] : v.what.meta()) {
    answer.headers.push_back({std::string(meta_prefix).append(name), std::string(value)});
  }
}

}  // namespace

void check_key(const s3_call& call) {
  if (call.key.size() <= longest_key) return;
  throw refusal{400,
                "KeyTooLongError",
                "Your key is too long",
                {{"Size", std::to_string(call.key.size())}, {"MaxSizeAllowed", std::to_string(longest_key)}}};
}

attributes attributes_of(const s3_call& call) {
  std::string_view content_type = call.header_value("content-type");
  if (content_type.empty()) content_type = "binary/octet-stream";
  attributes what(content_type);
  std::size_t bytes = 0;
  std::string name;
  for (const header& h : call.r.headers) {
    if (h.name.size() <= meta_prefix.size()) continue;
    if (!is_header(std::string_view(h.name).substr(0, meta_prefix.size()), meta_prefix)) continue;
    name.assign(h.name, meta_prefix.size());
    for (char& c : name)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    bytes += name.size() + h.value.size();
    what.add_meta(name, h.value);
  }
  if (bytes <= most_metadata) return what;
  throw refusal{400,
                "MetadataTooLarge",
                "Your metadata headers exceed the maximum allowed metadata size",
                {{"Size", std::to_string(bytes)}, {"MaxSizeAllowed", std::to_string(most_metadata)}}};
}

md5_digest checked_md5(const s3_call& call) {
  const md5_digest md5 = md5_of(call.r.body);
  for (const header& h : call.r.headers) {
    if (is_header(h.name, md5_header)) check_content_md5(h.value, md5);
    for (const std::string_view name : {crc32_header, sha256_header})
      if (is_header(h.name, name)) check_checksum(name, h.value, call.r.body);
  }
  return md5;
}

void s3_service::check_write_conditions(const s3_call& call, const bucket& in) const {
  if (!traits_.conditions_enforced && in.versioning != versioning_state::never) return;
  const std::string_view absent = call.header_value("if-none-match");
  if (!absent.empty() && absent != "*") {
    throw refusal{501,
                  "NotImplemented",
                  "A header you provided implies functionality that is not implemented",
                  {{"Header", "If-None-Match"}}};
  }
  const std::string_view same = call.header_value("if-match");
  if (absent.empty() && same.empty()) return;
  const version* const object = in.object(call.key);
  if (!absent.empty() && object != nullptr) throw precondition_failed("If-None-Match");
  if (same.empty()) return;
  if (object == nullptr) throw no_such_key(call.key);
  if (!same_etag(same, *object)) throw precondition_failed("If-Match");
}

response s3_service::put_object(const s3_call& call) {
  bucket& in = bucket_of(call);
  check_key(call);
  version v;
  v.what = attributes_of(call);
  v.tag.md5 = checked_md5(call);
  check_write_conditions(call, in);
  v.body = std::make_shared<const std::string>(call.r.body);
  v.last_modified = replies_.now();
  const version& kept = add(in, call.key, std::move(v));
  response answer = replies_.plain(200);
  answer.headers.push_back({"ETag", quoted(kept.tag.text())});
  if (in.versioning != versioning_state::never) answer.headers.push_back({"x-amz-version-id", kept.id()});
  return answer;
}

/// HeadObject as well: the same answer without its body.
response s3_service::get_object(const s3_call& call) {
  const bucket& in = bucket_of(call);
  const version& v = shown_version(call, in);
  check_read_conditions(call, v);
  const std::string& whole = *v.body;
  const auto range = range_of(call.header_value("range"), whole.size());
  response answer = replies_.plain(range ? 206 : 200);
  describe(answer, v, in);
  const std::string_view body =
      range ? std::string_view(whole).substr(range->first, range->last - range->first + 1) : std::string_view(whole);
  if (range) {
    answer.headers.push_back({"Content-Range", fmt::format("bytes {}-{}/{}", range->first, range->last, whole.size())});
  }
  answer.headers.push_back({"Content-Length", std::to_string(body.size())});
  if (call.r.method == "HEAD") return answer;
  answer.body.reserve(body.size() + response::body_padding);
  answer.body = body;
  return answer;
}

void s3_service::check_delete_condition(const bucket& in, const std::string& key, std::string_view if_match) {
  if (if_match.empty()) return;
  const version* const latest = in.current(key);
  if (latest == nullptr) throw no_such_key(key);
  if (latest->marker() || !same_etag(if_match, *latest)) throw precondition_failed("If-Match");
}

s3_service::removal s3_service::remove_one(bucket& in, const std::string& key, const std::string& version_id) {
  if (version_id.empty()) {
    if (!traits_.markers_allowed) throw access_denied();
    const std::optional<version> marker = bury(in, key);
    return marker ? removal{marker->id(), true} : removal{};
  }
  if (version_id != "null" && !sequence_of_id(version_id)) {
    throw refusal{400, "InvalidArgument", "Invalid version id specified"};
  }
  if (!traits_.removal_allowed) throw access_denied();
  const std::optional<version> gone = in.erase(key, version_id);
  return {version_id, gone && gone->marker()};
}

response s3_service::delete_object(const s3_call& call) {
  bucket& in = bucket_of(call);
  check_delete_condition(in, call.key, call.header_value("if-match"));
  const removal done = remove_one(in, call.key, call.parameter_or("versionId", ""));
  response answer = replies_.plain(204);
  if (!done.version_id.empty()) answer.headers.push_back({"x-amz-version-id", done.version_id});
  if (done.marker) answer.headers.push_back({"x-amz-delete-marker", "true"});
  return answer;
}

}  // namespace dynabackup::fakes::s3_store
