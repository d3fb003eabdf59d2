// A DynamoDB in memory and a clock that stands still until told.
#pragma once
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>
#include <string_view>
#include <vector>

#include "dynamodb/scan_page.hpp"
#include "fakes/aws/fake_dynamodb.hpp"

namespace dynabackup::fakes {

struct dynamodb_fixture {
  wall_time now{std::chrono::milliseconds(1'700'000'000'123)};
  fake_dynamodb db;

  explicit dynamodb_fixture(dynamodb_traits traits = {}) : db([this] { return now; }, std::move(traits)) {}

  response call(std::string_view operation, std::string body, std::string_view api = "DynamoDB_20120810") {
    request r;
    r.method = "POST";
    r.headers = {{"X-Amz-Target", fmt::format("{}.{}", api, operation)}};
    r.body = std::move(body);
    return db.handle(r);
  }
  std::string ok(std::string_view operation, std::string body, std::string_view api = "DynamoDB_20120810") {
    const response r = call(operation, std::move(body), api);
    REQUIRE_MESSAGE(r.status == 200, r.body);
    return r.body;
  }
  std::string stream(std::string_view operation, std::string body) {
    return ok(operation, std::move(body), "DynamoDBStreams_20120810");
  }
  /// The code of the error that a call ends in.
  std::string refusal(std::string_view operation, std::string body, std::string_view api = "DynamoDB_20120810") {
    const response r = call(operation, std::move(body), api);
    if (r.status == 200) return "none";
    const std::size_t at = r.body.find('#') + 1;
    return r.body.substr(at, r.body.find('"', at) - at);
  }
  /// Items of a whole scan, page by page; `more`: further parameters, each with a comma in front.
  std::vector<std::string> scan(std::string_view table, std::string_view more = "") {
    std::vector<std::string> result;
    std::string start;
    while (true) {
      const dynamodb::scan_page page(call("Scan", fmt::format(R"({{"TableName":"{}"{}{}}})", table, more, start)));
      for (std::size_t i = 0; i < page.size(); ++i) result.emplace_back(page.item(i));
      if (!page.next()) return result;
      start = R"(,"ExclusiveStartKey":)" + *page.next();
    }
  }
};

/// The first string member of that name, wherever it stands.
inline std::string text_member(std::string_view json, std::string_view name) {
  const std::string opening = fmt::format("\"{}\":\"", name);
  const std::size_t at = json.find(opening);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + opening.size();
  return std::string(json.substr(begin, json.find('"', begin) - begin));
}

/// How often `what` stands in `text`.
inline std::size_t occurrences(std::string_view text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

}  // namespace dynabackup::fakes
