// What canonical JSON refuses, and how it says so.
#include <doctest/doctest.h>
#include <string>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;
using dynabackup::format_error;

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
