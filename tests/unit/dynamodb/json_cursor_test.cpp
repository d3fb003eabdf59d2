#include "dynamodb/json_cursor.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

std::vector<std::string> elements(std::string_view text) {
  std::vector<std::string> found;
  json_cursor at(text, "text");
  at.enter('[');
  while (at.next_element()) found.emplace_back(at.value());
  at.end();
  return found;
}

TEST_CASE("values come in their own bytes, without the white space around them") {
  CHECK(elements(" [ {\"a\" : [ 1 ]} ,\t\"x\\\"]\" , -1.5E+3,true ,null, [ ] ] \n") ==
        std::vector<std::string>{"{\"a\" : [ 1 ]}", "\"x\\\"]\"", "-1.5E+3", "true", "null", "[ ]"});
  CHECK(elements("[]").empty());
}

TEST_CASE("a value may be asked for its kind before it is taken, and for a number without insisting") {
  json_cursor at(R"([ {"a":1}, 1.5e3, "1", null, 1e999, [2] ])", "text");
  at.enter('[');
  REQUIRE(at.next_element());
  CHECK(at.is_object());
  CHECK(at.object() == R"({"a":1})");
  REQUIRE(at.next_element());
  CHECK_FALSE(at.is_object());
  CHECK(at.number_or_nothing() == 1500);
  for (int i = 0; i < 4; ++i) {
    REQUIRE(at.next_element());
    CHECK_FALSE(at.number_or_nothing());
  }
  CHECK_FALSE(at.next_element());
  at.end();
}

TEST_CASE("brackets inside strings do not count, wherever a block of 64 bytes ends") {
  for (std::size_t padding = 0; padding < 140; ++padding) {
    for (const std::string_view tricky : {R"("}]")", R"("\"}")", R"("\\")", R"("\\\"]}{")", R"("a\\\\")"}) {
      const std::string object = "{\"" + std::string(padding, 'x') + "\":" + std::string(tricky) + ",\"l\":[{}]}";
      CAPTURE(object);
      REQUIRE(elements("[" + object + ",1]") == std::vector<std::string>{object, "1"});
    }
  }
}

TEST_CASE("a run of backslashes escapes by pairs across blocks") {
  for (std::size_t run = 0; run < 150; ++run) {
    const std::string closed = "{\"" + std::string(run / 2 * 2, '\\') + "\":1}";
    CAPTURE(run);
    REQUIRE(elements("[" + closed + "]") == std::vector<std::string>{closed});
    const std::string open = "{\"" + std::string(run / 2 * 2 + 1, '\\') + "\":1}";
    REQUIRE_THROWS_AS(elements("[" + open + "]"), format_error);
  }
}

TEST_CASE("deep nesting costs no stack") {
  const std::string deep = std::string(300'000, '[') + std::string(300'000, ']');
  CHECK(elements("[" + deep + "]") == std::vector<std::string>{deep});
}

TEST_CASE("what is not JSON is refused") {
  for (const std::string_view text :
       {"",          " ",   "[",   "[1", "[1,", "[1,]", "[,1]",  "[1 2]", "[\"",    "[\"\\",
        "[\"a\\\"]", "[{]", "[[]", "[}", "[@]", "[1]]", "[1] x", "{}",    "\"[]\"", "[True]"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(elements(text), format_error);
  }
  CHECK_THROWS_AS(elements(std::string_view("[1]\0", 4)), format_error);
}

TEST_CASE("members are named as they are written") {
  json_cursor at(R"({ "a" :1, "b\n":{"x":2} })", "text");
  at.enter('{');
  CHECK(at.next_member() == "a");
  CHECK(at.count() == 1);
  CHECK(at.next_member() == "b\\n");
  CHECK(at.object() == R"({"x":2})");
  CHECK_FALSE(at.next_member());
  at.end();
}

TEST_CASE("objects with a fault in their frame are refused") {
  for (const std::string_view text : {"{1:2}", "{\"a\"}", "{\"a\" 1}", "{\"a\":}", "{\"a\":1,}", "{\"a\":1 \"b\":2}",
                                      "{,}", "{\"a\":1", "{\"a", "[]"}) {
    CAPTURE(text);
    const auto walk = [&] {
      json_cursor at(text, "text");
      at.enter('{');
      while (at.next_member()) at.value();
      at.end();
    };
    CHECK_THROWS_AS(walk(), format_error);
  }
}

TEST_CASE("counts and numbers are whole tokens in range") {
  for (const std::string_view text : {"-1", "1.0", "1e3", "18446744073709551616", "true", "\"1\"", "+1", "{}"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(json_cursor(text, "text").count(), format_error);
  }
  CHECK(json_cursor("18446744073709551615", "text").count() == 18446744073709551615U);
  CHECK(json_cursor(" 0.5", "text").number() == 0.5);
  CHECK(json_cursor("1.28E2", "text").number() == 128);
  for (const std::string_view text : {"1e999", "nan", "inf", "-", "1x", "\"1\"", ""}) {
    CAPTURE(text);
    CHECK_THROWS_AS(json_cursor(text, "text").number(), format_error);
  }
}

TEST_CASE("a message names the text and the place, and quotes nothing of it") {
  CHECK_THROWS_WITH_AS(elements("[\"secret\" \"secret\"]"), "text: no comma at byte 10", format_error);
}

}  // namespace
}  // namespace dynabackup::dynamodb
