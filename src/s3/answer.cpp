#include "s3/answer.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "aws/service_error.hpp"
#include "dynabackup/error.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::s3 {
namespace {

constexpr std::string_view metadata_prefix = "x-amz-meta-";

std::string resource_of(const call_name& call) {
  return call.key.empty() ? call.bucket : fmt::format("{}/{}", call.bucket, call.key);
}

[[noreturn]] void fail(const call_name& call, std::string_view problem) {
  throw format_error(fmt::format("S3's {} answer for {}: {}", call.operation, resource_of(call), problem));
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return result;
}

metadata read_metadata(const std::vector<header>& headers) {
  metadata result;
  for (const header& h : headers) {
    const std::string name = lower(h.name);
    if (name.starts_with(metadata_prefix)) result.emplace(name.substr(metadata_prefix.size()), h.value);
  }
  return result;
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

void throw_failure(const response& answer, const call_name& call) {
  service_failure failure = aws::read_xml_failure(answer);
  failure.operation = call.operation;
  failure.resource = resource_of(call);
  if (failure.status / 100 == 2 && failure.code.empty()) failure.message = "the answer is not what S3 sends";
  throw service_error(std::move(failure));
}

void require_success(const response& answer, const call_name& call) {
  if (answer.status < 200 || answer.status > 299) throw_failure(answer, call);
}

std::string error_code(const response& answer) { return aws::read_xml_failure(answer).code; }

std::string unquoted(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') etag = etag.substr(1, etag.size() - 2);
  return std::string(etag);
}

std::string etag_of(const response& answer, const call_name& call) {
  std::string etag = unquoted(answer.header_value("ETag"));
  if (etag.empty()) fail(call, "no ETag");
  return etag;
}

std::string version_id_of(const response& answer) { return std::string(answer.header_value("x-amz-version-id")); }

object_head read_head(const response& answer, const call_name& call) {
  const auto last_modified = text::parse_http_date(answer.header_value("Last-Modified"));
  if (!last_modified) fail(call, "no Last-Modified");
  return {etag_of(answer, call), 0, version_id_of(answer), *last_modified, read_metadata(answer.headers)};
}

std::uint64_t content_length(const response& answer, const call_name& call) {
  const auto length = whole_number(answer.header_value("Content-Length"));
  if (!length) fail(call, "no Content-Length");
  return *length;
}

std::uint64_t ranged_size(const response& answer, const byte_range& asked, const call_name& call) {
  if (answer.status != 206) fail(call, fmt::format("status {} to a range request", answer.status));
  std::string_view text = answer.header_value("Content-Range");
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (!text.starts_with("bytes ") || dash == text.npos || slash == text.npos || slash < dash) {
    fail(call, "no Content-Range");
  }
  const auto first = whole_number(text.substr(6, dash - 6));
  const auto last = whole_number(text.substr(dash + 1, slash - dash - 1));
  const auto size = whole_number(text.substr(slash + 1));
  if (!first || !last || !size || *size == 0) fail(call, "a Content-Range that cannot be read");
  if (*first != asked.first || *last != std::min(asked.last, *size - 1) || *last < *first ||
      answer.body.size() != *last - *first + 1) {
    fail(call, "another range than was asked for");
  }
  return *size;
}

std::optional<std::string> child_text(std::string_view body, const char* root, const char* child) {
  pugi::xml_document document;
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8)) return std::nullopt;
  const pugi::xml_node top = document.document_element();
  if (top.name() != std::string_view(root)) return std::nullopt;
  return std::string(top.child_value(child));
}

}  // namespace dynabackup::s3
