// From an S3 answer's status, headers and small XML bodies to values. Pure; the lists are in listing.hpp.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/http.hpp"
#include "s3/listing.hpp"

namespace dynabackup::s3 {

using metadata = std::map<std::string, std::string>;  ///< x-amz-meta-*, lower-case names without that prefix

struct object_head {
  std::string etag;
  std::uint64_t size = 0;
  std::string version_id;
  time_point last_modified;
  metadata meta;
};

struct byte_range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;  ///< inclusive, as in RFC 9110 14.1.2
};

/// Which call was answered: for messages.
struct call_name {
  std::string_view operation;  ///< a literal
  std::string bucket;
  std::string key;
};

/// service_error of what S3 refuses, also of an error that hides behind a 200.
[[noreturn]] void throw_failure(const response& answer, const call_name& call);
/// The same unless the status is 2xx.
void require_success(const response& answer, const call_name& call);
/// The AWS error code of an answer.
std::string error_code(const response& answer);

std::string unquoted(std::string_view etag);
/// The ETag header without quotes; format_error when there is none.
std::string etag_of(const response& answer, const call_name& call);
std::string version_id_of(const response& answer);

/// ETag, version, date and metadata; `size` is left alone. format_error without ETag or Last-Modified.
object_head read_head(const response& answer, const call_name& call);
std::uint64_t content_length(const response& answer, const call_name& call);
/// The whole object's size, out of the Content-Range of a 206 that holds what was asked for; else format_error.
std::uint64_t ranged_size(const response& answer, const byte_range& asked, const call_name& call);

/// Text of a child of the root element; nullopt when the body is not XML with that root.
std::optional<std::string> child_text(std::string_view body, const char* root, const char* child);

}  // namespace dynabackup::s3
