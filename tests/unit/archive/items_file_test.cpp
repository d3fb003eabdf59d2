// Every line of tests/data/items.jsonl: tricky items, what DynamoDB does with them, and the numbers in them by value.
#include <algorithm>
#include <doctest/doctest.h>
#include <fstream>
#include <map>
#include <set>
#include <simdjson.h>
#include <string>
#include <vector>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace archive = dynabackup::archive;

namespace {

std::string canonical(std::string_view item) {
  std::string out;
  archive::canonicalizer().item(item, out);
  return out;
}

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

std::string attribute_data(std::string_view pk, std::string_view type, std::string_view json) {
  std::string out = R"({"pk":{"S":")";
  return ((((((out += pk) += R"("},"data":{")") += type) += R"(":)") += json) += "}}");
}

/// The items that lines with "generate" describe, by name.
std::vector<std::string> generated(const std::string& name) {
  const auto quoted = [](const std::string& text) { return '"' + text + '"'; };
  if (name == "nested-maps-deep-limit") {
    std::vector<std::string> items;
    for (const std::size_t times : {33, 1000, 100'000}) {
      items.push_back(R"({"pk":{"S":"d"},"m":)" + repeat(R"({"M":{"d":)", times) + R"({"S":"deep"})" +
                      repeat("}}", times) + "}");
    }
    return items;
  }
  if (name == "item-near-400-kb") return {attribute_data("big", "S", quoted(repeat("x", 409'591)))};
  if (name == "item-over-400-kb") return {attribute_data("big", "S", quoted(repeat("x", 409'592)))};
  if (name == "item-400-kb-json-inflated") return {attribute_data("ctl", "S", quoted(repeat("\\u0001", 204'795)))};
  if (name == "item-400-kb-binary") {
    return {attribute_data("bin", "B", quoted(dynabackup::text::base64(repeat("\xa5", 307'200))))};
  }
  if (name == "set-huge-numbers") {
    std::string set = "[";
    for (int i = 1; i <= 60'000; ++i) set += (i > 1 ? "," : "") + quoted(std::to_string(i));
    return {attribute_data("ns", "NS", set + "]")};
  }
  if (name == "batch-16-mb") {
    std::vector<std::string> items;
    for (int i = 0; i < 25; ++i) {
      items.push_back(attribute_data(std::to_string(100 + i), "S", quoted(repeat("x", 409'591))));
    }
    return items;
  }
  FAIL("no item is built for ", name);
  return {};
}

/// "-12.5" as "-125e-1": the notation of the column `numeric`.
std::string by_value(std::string_view plain) {
  if (plain == "0") return "0";
  std::string digits;
  int exponent = 0;
  bool fraction = false;
  for (const char c : plain) {
    if (c == '.') {
      fraction = true;
    } else {
      digits += c;
      exponent -= fraction ? 1 : 0;
    }
  }
  while (digits.back() == '0') {
    digits.pop_back();
    ++exponent;
  }
  const std::size_t first = digits[0] == '-' ? 1 : 0;
  digits.erase(first, std::min(digits.find_first_not_of('0', first), digits.size()) - first);
  return digits + "e" + std::to_string(exponent);
}

/// The value at a path like "l[1][0]", as {"N":…} or {"NS":…}.
simdjson::dom::element at_path(simdjson::dom::element item, std::string_view path) {
  const std::size_t bracket = std::min(path.find('['), path.size());
  simdjson::dom::element value = item.at_key(path.substr(0, bracket));
  for (path.remove_prefix(bracket); !path.empty(); path.remove_prefix(path.find(']') + 1)) {
    const auto index = static_cast<std::size_t>(std::stoi(std::string(path.substr(1))));
    value = simdjson::dom::element(value.at_key("L")).at(index);
  }
  return value;
}

void check_numbers(simdjson::dom::element expected, const std::string& item) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.parse(item);
  for (const auto [path, value] : simdjson::dom::object(expected)) {
    CAPTURE(std::string(path));
    const auto found = at_path(root, path);
    if (value.is_string()) {
      CHECK(by_value(std::string_view(found.at_key("N"))) == std::string_view(value));
      continue;
    }
    std::multiset<std::string> want;
    std::multiset<std::string> got;
    for (const auto v : simdjson::dom::array(value)) want.emplace(std::string_view(v));
    for (const auto v : simdjson::dom::array(found.at_key("NS"))) got.insert(by_value(std::string_view(v)));
    CHECK(got == want);
  }
}

struct row {
  std::string name;
  bool accept = false;
  std::vector<std::string> items;
  std::string numeric;  ///< the column's JSON, if there is one
};

row read_row(const std::string& line) {
  namespace od = simdjson::ondemand;
  od::parser parser;
  const simdjson::padded_string padded(line);
  od::document document = parser.iterate(padded).value();
  row r;
  od::object whole = document.get_object().value();
  for (auto member : whole) {
    od::field field = std::move(member).take_value();
    const std::string name(field.unescaped_key().value());
    if (name == "name") r.name = field.value().get_string().value();
    if (name == "expect") r.accept = field.value().get_string().value() == "accept";
    if (name == "item" || name == "numeric") {
      od::object object = field.value().get_object().value();
      const std::string text(object.raw_json().value());
      if (name == "item") r.items.push_back(text);
      if (name == "numeric") r.numeric = text;
    }
  }
  if (r.items.empty()) r.items = generated(r.name);
  return r;
}

std::vector<row> rows() {
  std::ifstream file(DYNABACKUP_TEST_DATA "/items.jsonl", std::ios::binary);
  std::vector<row> all;
  for (std::string line; std::getline(file, line);) all.push_back(read_row(line));
  return all;
}

/// Refused by DynamoDB for the size of a key or an item, which no spelling of it shows.
const std::set<std::string> the_service_refuses = {"key-partition-2049-bytes", "key-sort-1025-bytes",
                                                   "key-empty-string", "key-empty-binary", "item-over-400-kb"};

}  // namespace

TEST_CASE("every tricky item is carried through, every malformed one refused") {
  std::size_t accepted = 0;
  std::size_t refused = 0;
  for (const auto& r : rows()) {
    CAPTURE(r.name);
    for (const auto& item : r.items) {
      if (!r.accept && !the_service_refuses.contains(r.name)) {
        CHECK_THROWS_AS(canonical(item), dynabackup::format_error);
        ++refused;
        continue;
      }
      const auto once = canonical(item);
      CHECK(canonical(once) == once);
      if (!r.numeric.empty()) {
        simdjson::dom::parser parser;
        check_numbers(parser.parse(r.numeric), once);
      }
      ++accepted;
    }
  }
  CHECK(accepted == 75);
  CHECK(refused == 23);
}

TEST_CASE("lines of the items file that are the same item give the same bytes") {
  std::map<std::string, std::string> by_name;
  for (const auto& r : rows()) {
    if (r.accept) by_name[r.name] = canonical(r.items.front());
  }
  CHECK(by_name.at("key-order-zyx") == by_name.at("key-order-xyz"));
  CHECK(by_name.at("unicode-escaped-surrogate-pairs") == R"({"clef":{"S":"𝄞"},"e":{"S":"é"},"pk":{"S":"😀"}})");
  CHECK(by_name.at("set-order-not-preserved") == R"({"pk":{"S":"d2"},"ss":{"SS":["Alpha","alpha","ss","zeta","ß"]}})");
  CHECK(by_name.at("control-characters") ==
        "{\"c\":{\"S\":\"\\u0000\\u0001\\u0002\\b\\t\\n\\u000b\\f\\r\\u000e\\u001b\\u001f\x7f\"},"
        "\"nul\":{\"S\":\"a\\u0000b\"},\"pk\":{\"S\":\"ctl\"}}");
}
