#include "archive/snapshot_line.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;
using archive::line_kind;
using dynabackup::format_error;
using dynabackup::dynamodb::key_schema;

namespace {

struct line {
  line_kind kind;
  std::string item, key;
};

line read(std::string_view text, key_schema schema = {{"id", 'S'}}) {
  line l;
  l.kind = archive::line_reader(std::move(schema)).read(text, l.item, l.key);
  return l;
}

std::string problem(std::string_view text, key_schema schema = {{"id", 'S'}}) {
  try {
    read(text, std::move(schema));
  } catch (const format_error& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("wrapped, bare and plain lines of one item give the same item") {
  const std::string item = R"({"a":{"N":"1"},"id":{"S":"x"}})";
  const std::string key = R"({"id":{"S":"x"}})";
  const auto wrapped = read(R"({"Item":{"id":{"S":"x"},"a":{"N":"1.0"}}})");
  CHECK(wrapped.kind == line_kind::wrapped);
  CHECK(wrapped.item == item);
  CHECK(wrapped.key == key);
  const auto bare = read(R"({"id":{"S":"x"},"a":{"N":"1.0"}})");
  CHECK(bare.kind == line_kind::bare);
  CHECK(bare.item == item);
  CHECK(bare.key == key);
  const auto plain = read(R"({"id":"x","a":1.0})");
  CHECK(plain.kind == line_kind::plain_json);
  CHECK(plain.item == item);
  CHECK(plain.key == key);
}

TEST_CASE("white space and escapes do not change what a line is") {
  CHECK(read(" { \"\\u0049tem\" : { \"id\" : { \"S\" : \"x\" } } \t} \r").kind == line_kind::wrapped);
  CHECK(read(R"( { "\u0069d" : { "S" : "x" } } )").kind == line_kind::bare);
  CHECK(read(R"( { "\u0069d" : "x" } )").kind == line_kind::plain_json);
}

TEST_CASE("an attribute named Item is told from a wrapper") {
  const key_schema by_item{{"Item", 'S'}};
  CHECK(read(R"({"Item":{"S":"x"}})", by_item).kind == line_kind::bare);
  CHECK(read(R"({"Item":{"S":"x"},"a":{"N":"1"}})", by_item).kind == line_kind::bare);
  CHECK(read(R"({"Item":{"Item":{"S":"x"}}})", by_item).kind == line_kind::wrapped);
  CHECK(read(R"({"Item":"x"})", by_item).kind == line_kind::plain_json);
  CHECK(read(R"({"Item":{"M":{"a":{"S":"x"}}},"id":{"S":"x"}})").kind == line_kind::bare);
  CHECK(read(R"({"Item":{"M":{"M":{}},"id":{"S":"x"}}})").kind == line_kind::wrapped);
  CHECK(read(R"({"id":{"S":"x"},"Item":{"M":{}}})").kind == line_kind::bare);
  CHECK(read(R"({"Item":{"S":"x"},"id":{"S":"x"}})").item == R"({"Item":{"S":"x"},"id":{"S":"x"}})");
  CHECK(read(R"({"Item":{"a":{"b":1}},"id":"x"})").item ==
        R"({"Item":{"M":{"a":{"M":{"b":{"N":"1"}}}}},"id":{"S":"x"}})");
  CHECK(read(R"({"Item":{},"id":"x"})").kind == line_kind::plain_json);
}

TEST_CASE("plain JSON becomes the types it can hold") {
  CHECK(read(R"({"id":"x","s":"","n":-1.50e2,"big":12345678901234567890123456789012345678,"t":true,"f":false,"z":null,)"
             R"("l":[1,"a",[],{}],"m":{"b":{"S":"x"},"a":[null]}})")
            .item == R"({"big":{"N":"12345678901234567890123456789012345678"},"f":{"BOOL":false},"id":{"S":"x"},)"
                     R"("l":{"L":[{"N":"1"},{"S":"a"},{"L":[]},{"M":{}}]},)"
                     R"("m":{"M":{"a":{"L":[{"NULL":true}]},"b":{"M":{"S":{"S":"x"}}}}},"n":{"N":"-150"},"s":{"S":""},)"
                     R"("t":{"BOOL":true},"z":{"NULL":true}})");
}

TEST_CASE("a plain key attribute has the type of the schema") {
  CHECK(read(R"({"id":7.0,"r":"b"})", {{"id", 'N'}}).key == R"({"id":{"N":"7"}})");
  const auto binary = read(R"({"id":"YR==","r":"YR=="})", {{"id", 'B'}});
  CHECK(binary.item == R"({"id":{"B":"YQ=="},"r":{"S":"YR=="}})");
  CHECK(binary.key == R"({"id":{"B":"YQ=="}})");
  CHECK(read(R"({"r":"YQ==","id":"x"})", {{"id", 'S'}, {"r", 'B'}}).key == R"({"id":{"S":"x"},"r":{"B":"YQ=="}})");
  CHECK(read(R"({"id":"YQ==","m":{"id":"@"}})", {{"id", 'B'}}).item ==
        R"({"id":{"B":"YQ=="},"m":{"M":{"id":{"S":"@"}}}})");

  CHECK(problem(R"({"id":7})") == R"(the key attribute "id" is not of type S)");
  CHECK(problem(R"({"id":"7"})", {{"id", 'N'}}) == R"(the key attribute "id" is not of type N)");
  CHECK(problem(R"({"id":7})", {{"id", 'B'}}) == R"(the key attribute "id" is not of type B)");
  CHECK(problem(R"({"id":"@"})", {{"id", 'B'}}) == "a binary value that is not base64 at byte 9");
  CHECK(problem(R"({"id":null})") == R"(the key attribute "id" is not of type S)");
  CHECK(problem(R"({"id":["x"]})") == R"(the key attribute "id" is not of type S)");
  CHECK(problem(R"({"id":"x","r":{"S":"y"}})", {{"id", 'S'}, {"r", 'S'}}) ==
        R"(the key attribute "r" is not of type S)");
}

TEST_CASE("a line that is no item is refused") {
  const char* const rows[] = {"",
                              " ",
                              "x",
                              "null",
                              "[]",
                              "\"id\"",
                              "{",
                              "{}",
                              R"({"Item":{}})",
                              R"({"Item":{}}x)",
                              R"({"Item":{"id":{"S":"x"}})",
                              R"({"Item":{"id":{"S":"x"}}}})",
                              R"({"Item":{"id":{"S":"x"}}}{})",
                              R"({"Item":{"id":{"S":"x"}},})",
                              R"({"Item":{"id":{"S":"x"}},"Item":{"id":{"S":"x"}}})",
                              R"({"Item":{"id":{"S":"x"}},"More":{}})",
                              R"({"Item":{"id":{"S":"x"},"id":{"S":"x"}}})",
                              R"({"Item":{"id":{"S":"x"]}})",
                              R"({"Item":"x"})",
                              R"({"Item":null})",
                              R"({"Item":[{"id":{"S":"x"}}]})",
                              R"({"item":{"id":{"S":"x"}}})",
                              R"({"Item":{"Item":{"id":{"S":"x"}}}})",
                              R"({"Item":{"id":"x"}})",
                              R"({"Item":{"id":{"N":"1"}}})",
                              R"({"other":{"S":"x"}})",
                              R"({"other":"x"})",
                              R"({"id":{"S":"x"}},)",
                              R"({"id":{"S":"x"},"id":{"S":"y"}})",
                              R"({"id":{"S":"x"},"id":"y"})",
                              R"({"id":"x","id":"y"})",
                              R"({"id":{"S":"x"},"a":5})",
                              R"({"id":"x"} {})",
                              R"({"id":"x",})",
                              R"({"id":"x","a":})",
                              R"({"id":"x","a":,"b":1})",
                              R"({"a":,"id":"x"})",
                              R"({"a":}"id":"x"})",
                              R"({"id":"x","a":nul})",
                              R"({"id":"x","a":nulls})",
                              R"({"id":"x","a":TRUE})",
                              R"({"id":"x","a":NaN})",
                              R"({"id":"x","a":+5})",
                              R"({"id":"x","a":1e999})",
                              R"({"id":"x","a":1-})",
                              R"({"id":"x","a":[1,]})",
                              R"({"id":"x","a":[1 2]})",
                              R"({"id":"x","a":{"b":1,"b":2}})",
                              R"({"id":"x","a":"\ud800"})",
                              R"({"id":"x","a":123456789012345678901234567890123456789})",
                              "{\"id\":\"x\",\"a\":\"\xff\"}",
                              R"({"a":"x\)",
                              R"({"a":"\"}","id")",
                              R"({"a":[[[["b"}}}}],"id":"x"})"};
  for (const auto& row : rows) {
    CAPTURE(row);
    CHECK_THROWS_AS(read(row), format_error);
  }
}

TEST_CASE("deep plain JSON is refused, 32 levels are not") {
  const auto deep = [](int n) {
    return R"({"a":)" + std::string(static_cast<std::size_t>(n), '[') + std::string(static_cast<std::size_t>(n), ']') +
           R"(,"id":"x"})";
  };
  CHECK(read(deep(32)).kind == line_kind::plain_json);
  CHECK_THROWS_AS(read(deep(33)), format_error);
  CHECK_THROWS_AS(read(deep(1'000'000)), format_error);
}

TEST_CASE("a refused line leaves nothing behind") {
  archive::line_reader lines({{"id", 'S'}});
  std::string item = "item";
  std::string key = "key";
  CHECK_THROWS_AS(lines.read(R"({"id":"x","a":tru})", item, key), format_error);
  CHECK_THROWS_AS(lines.read(R"({"Item":{"a":{"S":"x"}}})", item, key), format_error);
  CHECK(item == "item");
  CHECK(key == "key");
  lines.read(R"({"id":"x"})", item, key);
  CHECK(item == R"(item{"id":{"S":"x"}})");
  CHECK(key == R"(key{"id":{"S":"x"}})");
  CHECK_THROWS_AS(archive::line_reader({}), format_error);
}
