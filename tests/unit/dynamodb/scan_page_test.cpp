#include "dynamodb/scan_page.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

scan_page page_of(std::string body) { return scan_page(response{200, {}, std::move(body), {}}); }

std::vector<std::string> items_of(const scan_page& page) {
  std::vector<std::string> items;
  for (std::size_t i = 0; i < page.size(); ++i) items.emplace_back(page.item(i));
  return items;
}

const std::string full_page =
    R"({"ConsumedCapacity":{"CapacityUnits":128.5,"TableName":"t"},"Count":2,"Items":[{"id":{"S":"a}]"}},)"
    R"({"id":{"S":"b"},"l":{"L":[{"M":{}}]}}],"LastEvaluatedKey":{"id":{"S":"b"}},"ScannedCount":2})";

TEST_CASE("a page yields each item's bytes, the key to go on with and what it cost") {
  const scan_page page = page_of(full_page);
  CHECK(items_of(page) ==
        std::vector<std::string>{R"({"id":{"S":"a}]"}})", R"({"id":{"S":"b"},"l":{"L":[{"M":{}}]}})"});
  CHECK(page.next() == R"({"id":{"S":"b"}})");
  CHECK(page.consumed_capacity() == 128.5);
  CHECK(page.body_bytes() == full_page.size());
}

TEST_CASE("members come in any order and with any white space, which is no part of an item") {
  const scan_page page = page_of(
      "\n{ \"LastEvaluatedKey\" : { \"id\" : {\"N\":\"1\"} }\t, \"Unknown\":[{\"Items\":1}], \"Items\" : [ {\"id\" : "
      "{\"N\":\"1\"} } \r\n, {} ] , \"Count\" : 2 }\n ");
  CHECK(items_of(page) == std::vector<std::string>{"{\"id\" : {\"N\":\"1\"} }", "{}"});
  CHECK(page.next() == "{ \"id\" : {\"N\":\"1\"} }");
  CHECK(page.consumed_capacity() == 0);
}

TEST_CASE("an empty page may have a key to go on with, and the last page has none") {
  const scan_page middle = page_of(R"({"Count":0,"Items":[],"LastEvaluatedKey":{"id":{"S":"x"}}})");
  CHECK(middle.size() == 0);
  CHECK(middle.next() == R"({"id":{"S":"x"}})");
  CHECK_FALSE(page_of(R"({"Count":0,"Items":[]})").next());
}

TEST_CASE("items survive a move of the page, also of one short enough to live inside its string") {
  scan_page page = page_of(R"({"Items":[{}],"Count":1})");
  const scan_page moved = std::move(page);
  CHECK(moved.item(0) == "{}");
  scan_page large = page_of(full_page);
  const scan_page moved_large = std::move(large);
  CHECK(moved_large.item(0) == R"({"id":{"S":"a}]"}})");
}

TEST_CASE("a page cut at any byte is refused") {
  for (std::size_t length = 0; length < full_page.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(page_of(full_page.substr(0, length)), format_error);
  }
}

TEST_CASE("what is not a Scan answer is refused") {
  for (const std::string_view body : {
           R"([])",
           R"({})",
           R"({"Count":0})",
           R"({"Items":[]})",
           R"({"Items":null,"Count":0})",
           R"({"Items":{},"Count":0})",
           R"({"Items":[1],"Count":1})",
           R"({"Items":["a"],"Count":1})",
           R"({"Items":[[]],"Count":1})",
           R"({"Items":[null],"Count":1})",
           R"({"Items":[{}],"Count":2})",
           R"({"Items":[{},{}],"Count":1})",
           R"({"Items":[{}],"Count":"1"})",
           R"({"Items":[{}],"Count":-1})",
           R"({"Items":[{}],"Items":[{}],"Count":2})",
           R"({"Items":[],"Count":0,"LastEvaluatedKey":null})",
           R"({"Items":[],"Count":0,"LastEvaluatedKey":"x"})",
           R"({"Items":[],"Count":0,"ConsumedCapacity":1})",
           R"({"Items":[],"Count":0,"ConsumedCapacity":{"CapacityUnits":"1"}})",
           R"({"Items":[],"Count":0} x)",
           R"({"Items":[],"Count":0}{})",
           R"({"Items":[],"Count":0}})",
           R"(<html>busy</html>)",
       }) {
    CAPTURE(body);
    CHECK_THROWS_AS(page_of(std::string(body)), format_error);
  }
}

TEST_CASE("a page of a million elements is read whole") {
  std::string list;
  for (int i = 0; i < 200'000; ++i) list += R"({"NULL":true},)";
  const std::string item = R"({"id":{"S":"x"},"l":{"L":[)" + list + R"({"NULL":true}]}})";
  const scan_page page = page_of(R"({"Items":[)" + item + "," + item + R"(],"Count":2})");
  CHECK(page.item(1) == item);
}

}  // namespace
}  // namespace dynabackup::dynamodb
