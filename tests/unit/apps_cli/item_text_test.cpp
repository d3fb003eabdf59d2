#include "apps/cli/item_text.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>

#include "apps/cli/columns.hpp"
#include "archive/canonical_json.hpp"
#include "archive/item_difference.hpp"
#include "fakes/test_data.hpp"

namespace dynabackup::cli {
namespace {

std::string canonical(const std::string& item) {
  std::string out;
  archive::canonicalizer().item(item, out);
  return out;
}

std::string as_item(const std::string& item) { return item_text(canonical(item)); }

std::string as_changes(const std::string& before, const std::string& after) {
  return changes_text(archive::differences(canonical(before), canonical(after)));
}

std::size_t widest_line(const std::string& text) {
  std::size_t widest = 0;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
    widest = std::max(widest, columns_of(std::string_view(text).substr(at, text.find('\n', at) - at)));
  return widest;
}

const std::string before = R"({
  "id":{"S":"user-1"},
  "balance":{"N":"12345678901234567890123456789012345678"},
  "tiny":{"N":"1E-130"},
  "photo":{"B":"iVBORw0KGgo="},
  "tags":{"SS":["blue","green","red"]},
  "scores":{"NS":["1","2.5","10"]},
  "keys":{"BS":["AAEC","/w=="]},
  "address":{"M":{"city":{"S":"Berlin"},"geo":{"M":{"lat":{"N":"52.52"},"lon":{"N":"13.405"}}},"zip":{"S":"10115"}}},
  "orders":{"L":[{"M":{"sku":{"S":"A-1"},"n":{"N":"1"}}},{"M":{"sku":{"S":"B-2"},"n":{"N":"2"}}}]},
  "active":{"BOOL":true},
  "note":{"NULL":true}})";

const std::string after = R"({
  "id":{"S":"user-1"},
  "balance":{"N":"12345678901234567890123456789012345679"},
  "tiny":{"N":"-1E+125"},
  "photo":{"B":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"},
  "tags":{"SS":["red","yellow","blue"]},
  "scores":{"NS":["10.0","2.5","1e0"]},
  "keys":{"BS":["AAEC"]},
  "address":{"M":{"city":{"S":"Potsdam"},"geo":{"M":{"lat":{"N":"52.4"},"lon":{"N":"13.405"}}},"street":{"S":"Am Kanal 1"}}},
  "orders":{"L":[{"M":{"sku":{"S":"A-1"},"n":{"N":"1"}}},{"M":{"sku":{"S":"B-2"},"n":{"N":"3"}}}]},
  "active":{"BOOL":false},
  "a name with spaces":{"L":[{"N":"1"},{"S":"two"},{"NULL":true}]},
  "note":{"S":"said \"hello\"\nand left"}})";

TEST_CASE("an item with binary, sets, nested maps and 38 digits in 80 columns") {
  CHECK(as_item(before) == R"(    active   true
    address  {city: "Berlin", geo: {lat: 52.52, lon: 13.405}, zip: "10115"}
    balance  12345678901234567890123456789012345678
    id       "user-1"
    keys     BS {/w==, AAEC}
    note     null
    orders   [{n: 1, sku: "A-1"}, {n: 2, sku: "B-2"}]
    photo    binary iVBORw0KGgo= (8 bytes)
    scores   NS {1, 10, 2.5}
    tags     SS {"blue", "green", "red"}
    tiny     1E-130
)");
}

TEST_CASE("its changes in 80 columns") {
  CHECK(as_changes(before, after) == R"(  + "a name with spaces"  [1, "two", null]
  ~ active                true -> false
  ~ address
      ~ city    "Berlin" -> "Potsdam"
      ~ geo
          ~ lat  52.52 -> 52.4
      + street  "Am Kanal 1"
      - zip     "10115"
  ~ balance               12345678901234567890123456789012345678
                          -> 12345678901234567890123456789012345679
  ~ keys                  removed /w==
  ~ note                  null -> "said \"hello\"\nand left"
  ~ orders
      ~ [1]
          ~ n  2 -> 3
  ~ photo                 binary iVBORw0KGgo= (8 bytes)
                          -> binary iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ
                             AAAADUlEQVR42mNk (45 bytes)
  ~ tags                  added "yellow"
                          removed "green"
  ~ tiny                  1E-130 -> -1E+125
)");
}

TEST_CASE("long values are wrapped, and in changes cut, with how much there is of them") {
  const std::string prose = "It was a bright cold day in April, and the clocks were striking thirteen. ";
  std::string text;
  for (int i = 0; i < 20; ++i) text += prose;
  const std::string item = R"({"t":{"S":")" + text + R"("},"b":{"B":")" + std::string(1000, 'A') + "\"}}";
  CHECK(as_changes("{}", item) == R"(  + b  binary AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
       AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
       … (750 bytes)
  + t  "It was a bright cold day in April, and the clocks were striking
       thirteen. It was a bright cold day in April, and the clocks were striking
       thirteen. It was a bright cold day in April, and the clocks were striking
       … (1,480 characters)
)");
  const std::string whole = as_item(item);
  CHECK(widest_line(whole) <= 80);
  CHECK(std::count(whole.begin(), whole.end(), 'A') == 1020);
  CHECK(whole.find("…") == std::string::npos);
}

TEST_CASE("of two long texts the change is seen, however late it comes") {
  const std::string same(5000, 'x');
  const std::string seen =
      as_changes(R"({"t":{"S":")" + same + R"(\n\u0001old"}})", R"({"t":{"S":")" + same + R"(\n\u0001new"}})");
  CHECK(seen == R"(  ~ t  "…xxxxxxxx\n\u0001old"
       -> "…xxxxxxxx\n\u0001new"
)");
}

TEST_CASE("very many changes and elements are counted, not listed") {
  std::string many;
  for (int i = 0; i < 5000; ++i) many += fmt::format(R"({}"a{:04}":{{"N":"1"}})", i == 0 ? "" : ",", i);
  const std::string added = as_changes("{}", "{" + many + "}");
  CHECK(added.find("… and 4,900 more changes\n") != std::string::npos);
  CHECK(std::count(added.begin(), added.end(), '\n') == 101);
  CHECK(as_changes("{}", R"({"m":{"M":{)" + many + "}}}").find("… and 4,900 more\n") != std::string::npos);
  const std::string item = as_item("{" + many + "}");
  CHECK(std::count(item.begin(), item.end(), '\n') == 5000);
}

TEST_CASE("nothing reaches the terminal that it would obey, and no line is wider than it") {
  const std::string hostile =
      R"({"\u001b[2J\u009b\u202e":{"S":"\u001b[31m\u0007\u0000\u009b\u202e\u2028"},"":{"S":""},)" +
      std::string(R"("日本語":{"S":")") + std::string(300, 'w') + R"("},")" + std::string(300, 'n') + R"(":{"M":{}}})";
  for (const std::string& text : {as_item(hostile), as_changes("{}", hostile), as_changes(hostile, "{}")}) {
    CHECK(widest_line(text) <= 80);
    for (const char* bad : {"\x1b", "\x07", "\u009b", "\u202e", "\u2028"}) CHECK(text.find(bad) == std::string::npos);
    CHECK(text.find('\0') == std::string::npos);
    CHECK(text.find("\\u001b[31m\\u0007\\u0000\\u009b\\u202e\\u2028") != std::string::npos);
  }
}

TEST_CASE("the deepest item DynamoDB takes fits in 80 columns") {
  std::string deep = R"({"S":"the end of it all, and long enough for more than one line"})";
  for (int i = 0; i < 31; ++i)
    deep = (i % 2 == 0 ? R"({"M":{"level":)" : R"({"L":[)") + deep + (i % 2 == 0 ? "}}" : "]}");
  const std::string text = as_item(R"({"id":)" + deep + "}");
  CHECK(widest_line(text) <= 80);
  CHECK(text.find("the end of it all") != std::string::npos);
}

TEST_CASE("every sample item is shown whole and without mistakes of width") {
  std::string shown;
  std::size_t items = 0;
  const std::string file = fakes::file_text(fakes::own_data("items.jsonl"));
  for (std::size_t at = 0; at < file.size();) {
    const std::size_t end = file.find('\n', at);
    const std::string line = file.substr(at, end - at);
    at = end + 1;
    if (line.find(R"("expect": "accept")") == std::string::npos) continue;
    if (line.find(R"("generate": )") != std::string::npos) continue;  // told how to make it, not what it is
    const std::size_t item = line.find(R"("item": )");
    shown = as_item(line.substr(item + 8, line.size() - item - 9));
    CHECK(widest_line(shown) <= 80);
    ++items;
  }
  CHECK(items > 30);
}

}  // namespace
}  // namespace dynabackup::cli
