// One S3 request taken apart, and the answers that S3 gives: success, refusal, XML.
#pragma once
#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes::s3_store {

/// What S3 refuses: thrown by an operation, answered as an error document.
struct refusal {
  int status;
  std::string code;
  std::string message;
  std::vector<std::pair<std::string, std::string>> details{};  ///< further elements of the document
  std::vector<header> headers{};
};

/// Path-style target and headers. `r` must outlive it.
class s3_call {
 public:
  /// Throws a refusal when the target is no URI of an object.
  explicit s3_call(const request& r);

  const request& r;
  std::string bucket;  ///< empty: the service itself
  std::string key;     ///< empty: the bucket itself

  [[nodiscard]] bool plain() const { return query_.empty(); }
  /// The decoded value of a query parameter ("" for one without value).
  [[nodiscard]] const std::string* parameter(std::string_view name) const;
  [[nodiscard]] std::string parameter_or(std::string_view name, std::string_view otherwise) const;
  /// A whole number from 0 to `most`, which larger ones count as. Throws a refusal (InvalidArgument) for anything else.
  [[nodiscard]] int number(std::string_view name, int otherwise, int most) const;
  [[nodiscard]] std::string_view header_value(std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> query_;
};

/// Headers that every answer has.
class s3_replies {
 public:
  explicit s3_replies(std::function<wall_time()> now) : now_(std::move(now)) {}

  response plain(int status);
  response xml(std::string body, int status = 200);
  /// `head`: a refused HEAD has no document.
  response refuse(const refusal& why, bool head);
  [[nodiscard]] wall_time now() const { return now_(); }

 private:
  std::string request_id();

  std::function<wall_time()> now_;
  std::uint64_t answers_ = 0;
  std::chrono::sys_seconds date_second_{std::chrono::seconds(-1)};
  std::string date_;
};

/// Header names are compared without case; `lower` must be lower case.
inline bool is_header(std::string_view name, std::string_view lower) {
  if (name.size() != lower.size()) return false;
  return std::ranges::equal(name, lower, {}, [](char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; });
}
/// As lists tell it: whole seconds, ".000Z".
std::string list_time(wall_time t);
std::string xml_text(std::string_view text);
void append_element(std::string& out, std::string_view name, std::string_view text);
std::string quoted(std::string_view etag);
/// Body of a document of S3's name space.
std::string document(std::string_view root, std::string_view children);

}  // namespace dynabackup::fakes::s3_store
