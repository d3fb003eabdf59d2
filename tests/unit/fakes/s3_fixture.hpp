// A fake_s3 with a versioned bucket "v", an unversioned one "u" and a clock that the test sets; requests by hand.
#pragma once
#include <doctest/doctest.h>
#include <initializer_list>
#include <pugixml.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes {

/// Sun, 22 Nov 2026 11:45:03.250 GMT.
inline constexpr wall_time quarter_past_three{std::chrono::milliseconds(1'795'347'903'250)};

struct s3_fixture {
  explicit s3_fixture(s3_traits traits = {}) : s3([this] { return now; }, std::move(traits)) {
    s3.create_bucket("v", true);
    s3.create_bucket("u", false);
  }

  response send(std::string method, std::string target, std::string body = {}, std::vector<header> headers = {}) {
    request r;
    r.method = std::move(method);
    r.target = std::move(target);
    r.body = std::move(body);
    r.headers = std::move(headers);
    return s3.handle(r);
  }
  /// Puts an object and returns the version id that the answer names.
  std::string put(const std::string& target, std::string body = "x") {
    const response answer = send("PUT", target, std::move(body));
    REQUIRE(answer.status == 200);
    return std::string(answer.header_value("x-amz-version-id"));
  }
  void suspend_versioning(const std::string& bucket) {
    REQUIRE(send("PUT", "/" + bucket + "?versioning",
                 "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>")
                .status == 200);
  }

  wall_time now = quarter_past_three;
  fake_s3 s3;
};

/// The document of an answer, which must be well-formed.
class xml_answer {
 public:
  explicit xml_answer(const response& answer) {
    const auto parsed = document_.load_buffer(answer.body.data(), answer.body.size());
    REQUIRE_MESSAGE(parsed, "not XML: ", answer.body);
  }
  [[nodiscard]] pugi::xml_node root() const { return document_.document_element(); }
  [[nodiscard]] std::string text(const char* child) const { return root().child_value(child); }
  /// The texts of `child` in each element `name`, in order.
  [[nodiscard]] std::vector<std::string> each(const char* name, const char* child) const {
    std::vector<std::string> texts;
    for (const pugi::xml_node node : root().children(name)) texts.emplace_back(node.child_value(child));
    return texts;
  }

 private:
  pugi::xml_document document_;
};

/// The error code of a refusal.
inline std::string code_of(const response& answer) {
  const xml_answer document(answer);
  REQUIRE(document.root().name() == std::string_view("Error"));
  CHECK(document.text("RequestId") == answer.header_value("x-amz-request-id"));
  return document.text("Code");
}

using texts = std::vector<std::string>;

}  // namespace dynabackup::fakes
