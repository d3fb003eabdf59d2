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

std::string message(std::string_view item) {
  try {
    canonical(item);
  } catch (const format_error& e) {
    return e.what();
  }
  return "accepted";
}

std::string nested(int containers, std::string_view open, std::string_view close) {
  std::string out = R"({"a":)";
  for (int i = 0; i < containers; ++i) out += open;
  out += R"({"S":"deep"})";
  for (int i = 0; i < containers; ++i) out += close;
  return out + "}";
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

TEST_CASE("what is no item is refused") {
  const std::string items[] = {"",
                               " ",
                               "null",
                               "[]",
                               "\"x\"",
                               "5",
                               "{",
                               "{}}",
                               "{} {}",
                               "{}x",
                               "{},",
                               "\xEF\xBB\xBF{}",
                               "{,}",
                               "{\"a\"}",
                               "{'a':{\"S\":\"\"}}",
                               "{a:{\"S\":\"\"}}",
                               "{\"a\":{\"S\":\"x\"},}",
                               "{\"a\":{\"S\":\"x\"}",
                               "{\"a\":{\"S\":\"x\"}]",
                               "{\"a\":{\"S\":\"x\"};\"b\":{\"S\":\"x\"}}",
                               "{\"a\" {\"S\":\"x\"}}",
                               "{\"a\":{\"S\":\"x\"} \"b\":{\"S\":\"x\"}}",
                               "{\"a\":{\"S\":\"x\"},\"a\":{\"S\":\"x\"}}",
                               "{\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"\"},\"\\u0061\":{\"S\":\"x\"}}",
                               "{\"b\":{\"S\":\"\"},\"a\":{\"S\":\"x\"},\"b\":{\"S\":\"\"}}",
                               "{\"a\":{\"S\":\"x\"}}\n{\"a\":{\"S\":\"x\"}}",
                               std::string("{}\0", 3),
                               std::string("{\0}", 3),
                               "{}\f",
                               "\v{}",
                               "/**/{}"};
  for (const auto& item : items) {
    CAPTURE(item);
    CHECK_THROWS_AS(canonical(item), format_error);
  }
  const std::string values[] = {"",
                                "null",
                                "\"x\"",
                                "5",
                                "[]",
                                "{}",
                                R"({"S":"x","N":"1"})",
                                R"({"S":"x","S":"x"})",
                                R"({"S":"x",})",
                                R"({"X":"1"})",
                                R"({"":"1"})",
                                R"({"s":"1"})",
                                R"({"SN":"1"})",
                                R"({"STRING":"1"})",
                                R"({"S":5})",
                                R"({"S":null})",
                                R"({"S":["x"]})",
                                R"({"S":{"S":"x"}})",
                                R"({"S"})",
                                R"({"S":})",
                                R"({"S" "x"})",
                                R"({"S":"x)",
                                R"({"S":"x\)",
                                R"({"S":"x\"}})",
                                "{\"S\":\"a\nb\"}",
                                "{\"S\":\"12345678\x01\"}",
                                std::string("{\"S\":\"a\0b\"}", 11),
                                R"({"S":"\x41"})",
                                R"({"S":"\'"})",
                                R"({"S":"\U0041"})",
                                R"({"S":"\u12"})",
                                R"({"S":"\u12g4"})",
                                R"({"S":"\u+123"})",
                                R"({"S":"\ud83d"})",
                                R"({"S":"a\ude00"})",
                                R"({"S":"\ud83dA"})",
                                R"({"S":"\ud83d\n"})",
                                R"({"S":"\ud83d\u0041"})",
                                R"({"S":"\ud83d\ud83d"})",
                                R"({"S":"\ude00\ud83d"})",
                                "{\"S\":\"\xff\"}",
                                "{\"S\":\"\xc0\x80\"}",
                                "{\"S\":\"\xed\xa0\x80\"}",
                                "{\"S\":\"\xf4\x90\x80\x80\"}",
                                "{\"S\":\"\xe2\x82\"}",
                                R"({"N":5})",
                                R"({"N":""})",
                                R"({"N":"NaN"})",
                                R"({"N":"1E+126"})",
                                R"({"N":"1E-131"})",
                                R"({"N":"123456789012345678901234567890123456789"})",
                                R"({"N":" 1"})",
                                R"({"N":["1"]})",
                                R"({"B":"@@@"})",
                                R"({"B":"YQ"})",
                                R"({"B":"YQ="})",
                                R"({"B":"Y==="})",
                                R"({"B":"===="})",
                                R"({"B":"YQ==YQ=="})",
                                R"({"B":"YQ=A"})",
                                R"({"B":"YQ\n=="})",
                                R"({"B":"-_-_"})",
                                R"({"B":"YWJjé"})",
                                R"({"B":7})",
                                R"({"BOOL":"true"})",
                                R"({"BOOL":1})",
                                R"({"BOOL":null})",
                                R"({"BOOL":truex})",
                                R"({"BOOL":tru})",
                                R"({"BOOL":True})",
                                R"({"NULL":false})",
                                R"({"NULL":null})",
                                R"({"NULL":"true"})",
                                R"({"SS":[]})",
                                R"({"NS":[]})",
                                R"({"BS":[]})",
                                R"({"SS":["a","a"]})",
                                R"({"SS":["b","a","\u0062"]})",
                                R"({"SS":["a",]})",
                                R"({"SS":[,"a"]})",
                                R"({"SS":["a" "b"]})",
                                R"({"SS":"a"})",
                                R"({"SS":[1]})",
                                R"({"SS":[null]})",
                                R"({"SS":["a")",
                                R"({"SS":["a"})",
                                R"({"SS":["a"]])",
                                R"({"NS":["1","1.0"]})",
                                R"({"NS":["2","1","20e-1"]})",
                                R"({"NS":["0","-0"]})",
                                R"({"NS":["1","1e1000000000000000000"]})",
                                R"({"NS":[1]})",
                                R"({"BS":["AA==","AA=="]})",
                                R"({"BS":["AA==","AB=="]})",
                                R"({"L":{}})",
                                R"({"L":["x"]})",
                                R"({"L":[{"S":"x"},]})",
                                R"({"L":[{"S":"x"})",
                                R"({"L":[{}]})",
                                R"({"M":[]})",
                                R"({"M":{"k":"v"}})",
                                R"({"M":{"k":{"S":"1"},"k":{"S":"2"}}})",
                                R"({"M":{"k":{"S":"1"},"j":{"S":""},"k":{"S":"2"}}})",
                                R"({"L":[{"M":{"k":{"S":"1"},"\u006b":{"S":"2"}}}]})"};
  for (const auto& v : values) {
    CAPTURE(v);
    CHECK_THROWS_AS(value(v), format_error);
  }
}

TEST_CASE("an item cut anywhere is refused") {
  const std::string item =
      R"({"a":{"L":[{"S":"x\n\u00e9"},{"N":"1.5"}]},"b":{"BS":["AA=="]},"c":{"M":{"d":{"BOOL":true}}}})";
  REQUIRE_NOTHROW(canonical(item));
  for (std::size_t n = 0; n < item.size(); ++n) {
    CAPTURE(n);
    CHECK_THROWS_AS(canonical(item.substr(0, n)), format_error);
  }
}

TEST_CASE("maps and lists nest 32 deep and no deeper") {
  CHECK(canonical(nested(32, R"({"M":{"d":)", "}}")) == nested(32, R"({"M":{"d":)", "}}"));
  CHECK(canonical(nested(32, R"({"L":[)", "]}")) == nested(32, R"({"L":[)", "]}"));
  for (const int depth : {33, 1000, 100'000}) {
    CHECK_THROWS_AS(canonical(nested(depth, R"({"M":{"d":)", "}}")), format_error);
    CHECK_THROWS_AS(canonical(nested(depth, R"({"L":[)", "]}")), format_error);
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

TEST_CASE("a message says what is wrong and where, and nothing of the content") {
  CHECK(message(R"({"a":{"S":"secret"},"a":{"S":"x"}})") == "an attribute name for the second time at byte 33");
  CHECK(message(R"({"a":{"N":"secret"}})") == "not a number at byte 18");
  CHECK(message(R"({"a":{"S":"secret)") == "a string that does not end at byte 17, where the text ends");
  CHECK(message("{\"secret\xff\":{}}") == "not valid UTF-8");
  CHECK(message(R"({"a":{"secret":"x"}})").find("secret") == std::string::npos);
}

TEST_CASE("an item longer than any item can be is refused before it is held") {
  std::string item = R"({"a":{"L":[)";
  while (item.size() < 4'000'000) item += R"({"N":"1E125"},)";
  item += R"({"N":"1"}]}})";
  std::string out;
  CHECK_THROWS_AS(archive::canonicalizer().item(item, out), format_error);
  CHECK(out.empty());
  CHECK(out.capacity() <= 2 * archive::max_item_text);
  CHECK_THROWS_AS(canonical("{}" + std::string(archive::max_item_text, ' ')), format_error);
}
