#include "archive/canonical_json.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;
using dynabackup::format_error;
using dynabackup::dynamodb::key_schema;

namespace {

std::string canonical(std::string_view item) {
  std::string out;
  archive::canonicalizer().item(item, out);
  return out;
}

/// The canonical form of an item whose attribute "a" has this value.
std::string value(std::string_view v) {
  const auto item = canonical(R"({"a":)" + std::string(v) + "}");
  return item.substr(5, item.size() - 6);
}

std::string key(std::string_view item, const key_schema& schema) {
  std::string out;
  std::string found;
  archive::canonicalizer().item_and_key(item, schema, out, found);
  return found;
}

}  // namespace

TEST_CASE("other spellings of an item give the same bytes and the same object name") {
  const std::string plain =
      R"({"a":{"N":"1"},"b":{"B":"YQ=="},"e":{"S":"é😀"},"id":{"S":"user-1"},"m":{"M":{"x":{"S":"\n/"},"y":{"NULL":true}}},)"
      R"("s":{"SS":["a","b"]}})";
  const std::string spellings[] = {
      plain,
      R"({"s":{"SS":["b","a"]},"m":{"M":{"y":{"NULL":true},"x":{"S":"\n/"}}},"id":{"S":"user-1"},"e":{"S":"é😀"},)"
      R"("b":{"B":"YQ=="},"a":{"N":"1"}})",
      R"({"\u0061":{"N":"1.0"},"b":{"B":"YR=="},"e":{"S":"\u00e9\ud83d\ude00"},"id":{"S":"\u0075ser-1"},)"
      R"("m":{"M":{"x":{"S":"\u000A\/"},"y":{"NULL":true}}},"s":{"SS":["\u0061","b"]}})",
      " {\t\"a\" :\r\n{ \"N\": \"1e0\" } , "
      "\"b\":{\"B\":\"\\u0059Q=\\u003d\"},\"e\":{\"\\u0053\":\"\\u00E9\\uD83D\\uDE00\"},"
      R"("id":{"S":"user-1"},"m":{"\u004d":{ "x":{"S":"\n\u002f"},"y":{"NULL": true }}},"s":{"SS":[ "a" , "b" ]}} )",
  };
  const key_schema schema{{"id", 'S'}};
  for (const auto& spelling : spellings) {
    CAPTURE(spelling);
    CHECK(canonical(spelling) == plain);
    CHECK(key(spelling, schema) == R"({"id":{"S":"user-1"}})");
    CHECK(archive::object_name(key(spelling, schema)) ==
          "1955c99d6c94781eff8e4e7956e0da0d7dba51075deab9510a9af5bc91716dc9");
  }
}

TEST_CASE("members are sorted by the UTF-8 bytes of their names, whatever spells them") {
  const auto names = [](std::string_view item) { return canonical(item); };
  const std::string v = R"({"S":""})";
  CHECK(names(R"({"b":)" + v + R"(,"a":)" + v + "}") == R"({"a":)" + v + R"(,"b":)" + v + "}");
  CHECK(names(R"({"a!":)" + v + R"(,"a":)" + v + R"(,"":)" + v + "}") ==
        R"({"":)" + v + R"(,"a":)" + v + R"(,"a!":)" + v + "}");
  // The bytes meant: 0x0a, '!', '"', '#', '[', '\', ']', DEL, U+00E9, U+FFFF, U+1F600 (UTF-16 would sort the last two
  // the other way, and the spellings of 0x0a, '"' and '\' all begin with a backslash).
  const std::vector<std::string> order = {R"(\n)", "!", R"(\")", "#", "[", R"(\\)", "]", "\x7f", "é", "\uFFFF", "😀"};
  std::string forward = "{";
  std::string backward = "{";
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto member = [&](const std::string& name) { return '"' + name + "\":" + v; };
    forward += (i > 0 ? "," : "") + member(order[i]);
    backward += (i > 0 ? "," : "") + member(order[order.size() - 1 - i]);
  }
  CHECK(names(forward + "}") == forward + "}");
  CHECK(names(backward + "}") == forward + "}");
  CHECK(names(R"({"\u0001":)" + v + R"(,"\u0000":)" + v + R"(,"\b":)" + v + R"(,"\u0007":)" + v + "}") ==
        R"({"\u0000":)" + v + R"(,"\u0001":)" + v + R"(,"\u0007":)" + v + R"(,"\b":)" + v + "}");
}

TEST_CASE("values have one spelling") {
  struct row {
    std::string from, to;
  };
  const row rows[] = {
      {R"({"S":"\u0000\u0008\u0009\u000a\u000b\u000c\u000d\u001F\u007f"})",
       "{\"S\":\"\\u0000\\b\\t\\n\\u000b\\f\\r\\u001f\x7f\"}"},
      {R"({"S":"\"\\\/\u0022\u005C\u002F"})", R"({"S":"\"\\/\"\\/"})"},
      {R"({"S":"\u2028\uFEFF\ud7ff\ue000"})", "{\"S\":\"\u2028\uFEFF\uD7FF\uE000\"}"},
      {R"({"N":"-0.0"})", R"({"N":"0"})"},
      {R"({"N":"\u0031\u0065\u0032"})", R"({"N":"100"})"},
      {R"({"B":""})", R"({"B":""})"},
      {R"({"B":"YWI="})", R"({"B":"YWI="})"},
      {R"({"B":"YWJ="})", R"({"B":"YWI="})"},
      {R"({"B":"Yf=="})", R"({"B":"YQ=="})"},
      {R"({"B":"+\/\/+\/78="})", R"({"B":"+//+/78="})"},
      {R"({"SS":["b","","\u0061!","a","\"","#"]})", R"({"SS":["","\"","#","a","a!","b"]})"},
      {R"({"NS":["10","9","-1","1.50","0"]})", R"({"NS":["-1","0","1.5","10","9"]})"},
      {R"({"BS":["/w==","AAA=","AA=="]})", R"({"BS":["/w==","AA==","AAA="]})"},
      {R"({"L":[]})", R"({"L":[]})"},
      {R"({"L":[{"S":"b"},{"S":"a"},{"S":"b"}]})", R"({"L":[{"S":"b"},{"S":"a"},{"S":"b"}]})"},
      {R"({"M":{}})", R"({"M":{}})"},
      {R"({"M":{"b":{"M":{"d":{"S":"1"},"c":{"S":"2"}}},"a":{"L":[{"M":{"z":{"S":""},"y":{"S":""}}}]}}})",
       R"({"M":{"a":{"L":[{"M":{"y":{"S":""},"z":{"S":""}}}]},"b":{"M":{"c":{"S":"2"},"d":{"S":"1"}}}}})"},
      {R"({"BOOL":false})", R"({"BOOL":false})"},
  };
  for (const auto& r : rows) {
    CAPTURE(r.from);
    CHECK(value(r.from) == r.to);
    CHECK(value(r.to) == r.to);
  }
}

TEST_CASE("the key holds the key attributes alone, sorted like every map") {
  const std::string item = R"({"z":{"N":"1.0"},"x":{"S":"other"},"a\"b":{"B":"YR=="}})";
  CHECK(key(item, {{"z", 'N'}}) == R"({"z":{"N":"1"}})");
  CHECK(key(item, {{"z", 'N'}, {"a\"b", 'B'}}) == R"({"a\"b":{"B":"YQ=="},"z":{"N":"1"}})");
  CHECK(key(item, {{"a\"b", 'B'}, {"z", 'N'}}) == R"({"a\"b":{"B":"YQ=="},"z":{"N":"1"}})");
}

TEST_CASE("a key attribute that is missing or of another type is refused by its name") {
  const std::string item = R"({"m":{"M":{"id":{"S":"x"}}},"n":{"N":"1"},"s":{"SS":["a"]}})";
  const auto problem = [&](const key_schema& schema) -> std::string {
    try {
      return key(item, schema);
    } catch (const format_error& e) {
      return e.what();
    }
  };
  CHECK(problem({{"id", 'S'}}) == R"(the key attribute "id" is missing)");
  CHECK(problem({{"n", 'N'}, {"id", 'S'}}) == R"(the key attribute "id" is missing)");
  CHECK(problem({{"n", 'S'}}) == R"(the key attribute "n" is not of type S)");
  CHECK(problem({{"s", 'S'}}) == R"(the key attribute "s" is not of type S)");
  CHECK(problem({{"m", 'B'}}) == R"(the key attribute "m" is not of type B)");
  CHECK_THROWS_AS(key(item, {}), format_error);
}

TEST_CASE("a refused item leaves nothing behind, and the canonicalizer goes on") {
  archive::canonicalizer c;
  std::string out = "before";
  std::string k = "key";
  CHECK_THROWS_AS(c.item(R"({"b":{"S":"x"},"a":{"M":{"d":{"S":"x"},"c":{"N":"y"}}}})", out), format_error);
  CHECK_THROWS_AS(c.item_and_key(R"({"a":{"S":"x"}})", {{"a", 'N'}}, out, k), format_error);
  CHECK(out == "before");
  CHECK(k == "key");
  c.item_and_key(R"({"b":{"S":"y"},"a":{"S":"x"}})", {{"a", 'S'}}, out, k);
  CHECK(out == R"(before{"a":{"S":"x"},"b":{"S":"y"}})");
  CHECK(k == R"(key{"a":{"S":"x"}})");
}
