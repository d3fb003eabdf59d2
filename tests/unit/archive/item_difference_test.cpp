#include "archive/item_difference.hpp"

#include <doctest/doctest.h>
#include <string>

#include "archive/canonical_json.hpp"

using namespace dynabackup;

namespace {

std::string canonical(std::string_view item) {
  std::string out;
  if (!item.empty()) archive::canonicalizer().item(item, out);
  return out;
}

/// "path +after", "path -before", "path before>after", "path removed|added", one a line.
void spell(const std::vector<item_change>& changes, const std::string& path, std::string& out) {
  for (const item_change& c : changes) {
    const std::string here = path + (c.name.empty() ? std::to_string(c.index) : c.name);
    using kind = item_change::kind;
    if (c.what == kind::inside) {
      CHECK_FALSE(c.parts.empty());
      spell(c.parts, here + ".", out);
      continue;
    }
    out += here + ' ';
    out += c.what == kind::added     ? "+" + c.after
           : c.what == kind::removed ? "-" + c.before
                                     : c.before + (c.what == kind::elements ? "|" : ">") + c.after;
    out += '\n';
  }
}

std::string difference(std::string_view before, std::string_view after) {
  std::string out;
  spell(archive::differences(canonical(before), canonical(after)), "", out);
  return out;
}

}  // namespace

TEST_CASE("attributes come, go and change, in the order of their names") {
  CHECK(difference(R"({"a":{"S":"1"},"b":{"S":"2"},"c":{"S":"3"},"n":{"N":"1"}})",
                   R"({"a":{"S":"1"},"c":{"S":"4"},"d":{"S":"5"},"n":{"S":"1"}})") == R"("b" -{"S":"2"}
"c" {"S":"3"}>{"S":"4"}
"d" +{"S":"5"}
"n" {"N":"1"}>{"S":"1"}
)");
}

TEST_CASE("an item that was not there has every attribute added, one that is gone every one removed") {
  const char* item = R"({"a":{"S":"x"},"m":{"M":{"k":{"N":"1"}}}})";
  CHECK(difference("", item) == "\"a\" +{\"S\":\"x\"}\n\"m\" +{\"M\":{\"k\":{\"N\":\"1\"}}}\n");
  CHECK(difference(item, "") == "\"a\" -{\"S\":\"x\"}\n\"m\" -{\"M\":{\"k\":{\"N\":\"1\"}}}\n");
  CHECK(difference("", "").empty());
}

TEST_CASE("numbers are compared by value, sets as sets, maps whatever their order, binary by its bytes") {
  CHECK(
      difference(R"({"n":{"N":"1.0e2"},"s":{"NS":["10","9"]},"b":{"B":"YR=="},"m":{"M":{"y":{"S":""},"x":{"S":""}}}})",
                 R"({"n":{"N":"100"},"s":{"NS":["9.0","1e1"]},"b":{"B":"YQ=="},"m":{"M":{"x":{"S":""},"y":{"S":""}}}})")
          .empty());
  CHECK(
      difference(R"({"n":{"N":"12345678901234567890123456789012345678"}})",
                 R"({"n":{"N":"12345678901234567890123456789012345679"}})") ==
      "\"n\" {\"N\":\"12345678901234567890123456789012345678\"}>{\"N\":\"12345678901234567890123456789012345679\"}\n");
}

TEST_CASE("of sets it is told which elements went and came") {
  CHECK(difference(R"({"s":{"SS":["a","b","c"]}})", R"({"s":{"SS":["d","c","b"]}})") ==
        "\"s\" {\"SS\":[\"a\"]}|{\"SS\":[\"d\"]}\n");
  CHECK(difference(R"({"s":{"BS":["AA=="]}})", R"({"s":{"BS":["AA==","AQ=="]}})") == "\"s\" |{\"BS\":[\"AQ==\"]}\n");
  CHECK(difference(R"({"s":{"NS":["1","2"]}})", R"({"s":{"NS":["2"]}})") == "\"s\" {\"NS\":[\"1\"]}|\n");
  CHECK(difference(R"({"s":{"NS":["1"]}})", R"({"s":{"SS":["1"]}})") == "\"s\" {\"NS\":[\"1\"]}>{\"SS\":[\"1\"]}\n");
  // By the bytes meant: a newline comes before '!', though its escape does not.
  CHECK(difference(R"({"s":{"SS":["\n","!"]}})", R"({"s":{"SS":["!"]}})") == "\"s\" {\"SS\":[\"\\n\"]}|\n");
}

TEST_CASE("maps and lists are followed inside") {
  CHECK(difference(R"({"m":{"M":{"a":{"S":"1"},"deep":{"M":{"l":{"L":[{"N":"1"},{"N":"2"}]}}}}}})",
                   R"({"m":{"M":{"b":{"S":"1"},"deep":{"M":{"l":{"L":[{"N":"1"},{"N":"3"}]}}}}}})") ==
        R"("m"."a" -{"S":"1"}
"m"."b" +{"S":"1"}
"m"."deep"."l".1 {"N":"2"}>{"N":"3"}
)");
}

TEST_CASE("what was put into a list or taken out of it does not shift the rest") {
  CHECK(difference(R"({"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]}})",
                   R"({"l":{"L":[{"S":"a"},{"S":"x"},{"S":"b"},{"S":"c"}]}})") == "\"l\".1 +{\"S\":\"x\"}\n");
  CHECK(difference(R"({"l":{"L":[{"S":"a"},{"S":"b"},{"S":"c"}]}})", R"({"l":{"L":[{"S":"c"}]}})") ==
        "\"l\".0 -{\"S\":\"a\"}\n\"l\".1 -{\"S\":\"b\"}\n");
  CHECK(difference(R"({"l":{"L":[{"S":"a"}]}})", R"({"l":{"L":[]}})") == "\"l\".0 -{\"S\":\"a\"}\n");
  CHECK(difference(R"({"l":{"L":[{"S":"a"},{"S":"a"}]}})", R"({"l":{"L":[{"S":"a"}]}})") == "\"l\".1 -{\"S\":\"a\"}\n");
}
