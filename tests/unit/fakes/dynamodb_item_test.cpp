#include "fakes/aws/dynamodb_item.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>

#include "archive/canonical_json.hpp"
#include "fakes/aws/synthetic_table.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;

TEST_CASE("an item's size is counted as DynamoDB Local 3.3.1 counts it") {
  struct row {
    std::string_view value;
    std::size_t bytes;  ///< with the one of its name
  };
  for (const row& r :
       {row{R"({"N":"1"})", 2 + 1}, row{R"({"N":"-1"})", 3 + 1}, row{R"({"N":"123"})", 3 + 1},
        row{R"({"N":"100000000000000000000"})", 2 + 1}, row{R"({"N":"0"})", 1 + 1}, row{R"({"N":"0.001"})", 2 + 1},
        row{R"({"N":"12345678901234567890123456789012345678"})", 20 + 1}, row{R"({"NULL":true})", 1 + 1},
        row{R"({"BOOL":false})", 1 + 1}, row{R"({"M":{}})", 3 + 1}, row{R"({"M":{"a":{"NULL":true}}})", 6 + 1},
        row{R"({"L":[{"NULL":true}]})", 5 + 1}, row{R"({"L":[]})", 3 + 1}, row{R"({"SS":["ab"]})", 2 + 1},
        row{R"({"NS":["12"]})", 2 + 1}, row{R"({"B":"AAA="})", 2 + 1}, row{R"({"S":""})", 0 + 1},
        row{R"({"S":"a\nb\u0001\"é"})", 7 + 1}, row{R"({"BS":["AA==","AAA="]})", 3 + 1}}) {
    CHECK_MESSAGE(item_size(fmt::format(R"({{"v":{}}})", r.value)) == r.bytes, r.value);
  }
  CHECK(item_size("{}") == 0);
  CHECK(item_size(R"({"ä":{"S":"x"},"b":{"N":"1"}})") == 2 + 1 + 1 + 2);
}

TEST_CASE("units are rounded up, and half for a read that may be stale") {
  CHECK(read_units(0, true) == 1);
  CHECK(read_units(0, false) == 0.5);
  CHECK(read_units(4096, true) == 1);
  CHECK(read_units(4097, true) == 2);
  CHECK(read_units(std::size_t{1} << 20, false) == 128);
  CHECK(write_units(0) == 1);
  CHECK(write_units(1024) == 1);
  CHECK(write_units(1025) == 2);
}

TEST_CASE("strings of canonical JSON and what they stand for") {
  for (const std::string_view text : {std::string_view("a\"b\\c"), std::string_view("\b\t\n\f\r\x01\x1f/\x7f"),
                                      std::string_view("Ä日😀"), std::string_view("\0x", 2), std::string_view("")}) {
    const std::string spelled = json_string(text);
    CHECK(unescaped(std::string_view(spelled).substr(1, spelled.size() - 2)) == text);
  }
}

TEST_CASE("sort keys compare as DynamoDB compares the values") {
  const auto sorts = [](char type, std::initializer_list<std::string_view> values) {
    const key_reader keys({{"pk", 'S'}, {"sk", type}});
    std::string last;
    for (const std::string_view value : values) {
      const item_place place =
          keys.place(fmt::format(R"({{"pk":{{"S":"x"}},"sk":{{"{}":{}}}}})", type, json_string(value)));
      CHECK_MESSAGE(last < place.sort, value);
      last = place.sort;
    }
  };
  const std::string most(38, '9');
  sorts('N', {"-" + most + std::string(88, '0'),  "-100", "-99.5", "-99", "-10", "-9",  "-1", "-0.5", "-0.01", "0",
              "0." + std::string(129, '0') + "1", "0.01", "0.011", "0.5", "1",   "1.5", "9",  "10",   "99",    "100",
              most + std::string(88, '0')});
  sorts('S', {"A", "B", "a", "a\n", "a!", "é", "日", "😀"});
  sorts('B', {"AA==", "AAA=", "fw==", "gA==", "/w=="});
}

TEST_CASE("items of one partition are together, and those of others elsewhere") {
  const key_reader keys({{"pk", 'S'}, {"sk", 'S'}});
  std::set<std::uint64_t> hashes;
  for (int i = 0; i < 1000; ++i) {
    const auto key = [&](std::string_view sort) {
      return fmt::format(R"({{"pk":{{"S":"{}"}},"sk":{{"S":"{}"}}}})", i, sort);
    };
    const std::uint64_t hash = keys.place(key("a")).hash;
    CHECK(keys.place(key("b")).hash == hash);
    CHECK(hashes.insert(hash >> 32).second);
  }
}

TEST_CASE("a synthetic item's two spellings are one item of the size asked for") {
  archive::canonicalizer canonical;
  for (const std::size_t bytes : {0U, 440U, 4000U}) {
    const synthetic_items items(bytes);
    for (const std::uint64_t i : {std::uint64_t{0}, std::uint64_t{1234}, ~std::uint64_t{0}}) {
      std::string spelled, direct, item, key;
      items.append(spelled, i);
      items.append_canonical(direct, i);
      canonical.item_and_key(spelled, {{"id", 'S'}}, item, key);
      CHECK(item == direct);
      CHECK(spelled != direct);
      CHECK(item_size(item) == items.size());
      CHECK(key == synthetic_items::key(i));
      CHECK(synthetic_items::index(key) == i);
      if (bytes > 0) CHECK(spelled.size() == bytes);
    }
  }
  CHECK(synthetic_items::key(1234) == R"({"id":{"S":"item-00000000000000001234"}})");
  CHECK(!synthetic_items::index(R"({"id":{"S":"item-99999999999999999999"}})"));
  CHECK(!synthetic_items::index(R"({"id":{"S":"item-0000000000000000123x"}})"));
  CHECK(!synthetic_items::index(R"({"id":{"S":"x"}})"));
}
