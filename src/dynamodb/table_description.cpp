#include "dynamodb/table_description.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

[[noreturn]] void fail(std::string_view problem) {
  throw format_error(fmt::format("DescribeTable answer: {}", problem));
}

/// The member, or nullopt when there is none; one of another type fails.
template <class T>
std::optional<T> optional_member(const object& from, std::string_view name) {
  element found;
  if (from.at_key(name).get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
  T value;
  if (found.get(value) != simdjson::SUCCESS) fail(fmt::format("{} is of another type than it should be", name));
  return value;
}

template <class T>
T member(const object& from, std::string_view name) {
  std::optional<T> found = optional_member<T>(from, name);
  if (!found) fail(fmt::format("no {}", name));
  return *found;
}

std::string text_member(const object& from, std::string_view name) {
  return std::string(member<std::string_view>(from, name));
}

/// Epoch seconds, given to the millisecond and in any spelling (1.7E9): one text a moment.
std::string epoch_seconds(double seconds) {
  if (!(seconds >= 0 && seconds < 1e12)) fail("CreationDateTime is out of range");
  std::string text = fmt::format("{:.3f}", seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

char attribute_type(const object& table, std::string_view attribute) {
  for (const element defined : member<array>(table, "AttributeDefinitions")) {
    object definition;
    if (defined.get(definition) != simdjson::SUCCESS) fail("AttributeDefinitions holds something else than objects");
    if (member<std::string_view>(definition, "AttributeName") != attribute) continue;
    const auto type = member<std::string_view>(definition, "AttributeType");
    if (type != "S" && type != "N" && type != "B") fail("a key attribute is neither S nor N nor B");
    return type.front();
  }
  fail("a key attribute is not defined");
}

key_schema read_key(const object& table) {
  std::optional<key_attribute> partition;
  std::optional<key_attribute> sort;
  for (const element entry : member<array>(table, "KeySchema")) {
    object attribute;
    if (entry.get(attribute) != simdjson::SUCCESS) fail("KeySchema holds something else than objects");
    const std::string name = text_member(attribute, "AttributeName");
    const auto role = member<std::string_view>(attribute, "KeyType");
    if (role != "HASH" && role != "RANGE") fail("a key attribute is neither HASH nor RANGE");
    auto& place = role == "HASH" ? partition : sort;
    if (place) fail("two key attributes of one role");
    place = key_attribute{name, attribute_type(table, name)};
  }
  if (!partition) fail("no partition key");
  key_schema key{*partition};
  if (sort) key.push_back(*sort);
  return key;
}

std::optional<stream_description> read_stream(const object& table) {
  const auto specification = optional_member<object>(table, "StreamSpecification");
  if (!specification || !optional_member<bool>(*specification, "StreamEnabled").value_or(false)) return std::nullopt;
  return stream_description{text_member(table, "LatestStreamArn"), text_member(table, "LatestStreamLabel"),
                            text_member(*specification, "StreamViewType")};
}

bool billed_on_demand(const object& table) {
  const auto billing = optional_member<object>(table, "BillingModeSummary");
  return billing && optional_member<std::string_view>(*billing, "BillingMode") == "PAY_PER_REQUEST";
}

}  // namespace

table_description read_table_description(std::string_view body) {
  simdjson::dom::parser parser;
  element document;
  if (parser.parse(body.data(), body.size()).get(document) != simdjson::SUCCESS) fail("not JSON");
  object answer;
  if (document.get(answer) != simdjson::SUCCESS) fail("no JSON object");
  const auto table = member<object>(answer, "Table");

  table_description result;
  result.name = text_member(table, "TableName");
  result.status = text_member(table, "TableStatus");
  // Of a table that is being deleted DynamoDB tells little more than its name.
  const bool going = result.status == "DELETING";
  result.arn = optional_member<std::string_view>(table, "TableArn").value_or("");
  if (result.arn.empty() && !going) fail("no TableArn");
  result.id = optional_member<std::string_view>(table, "TableId").value_or("");
  if (const auto created = optional_member<double>(table, "CreationDateTime")) {
    result.created = epoch_seconds(*created);
  } else if (!going) {
    fail("no CreationDateTime");
  }
  if (!going || optional_member<array>(table, "KeySchema")) result.key = read_key(table);
  result.item_count = optional_member<std::uint64_t>(table, "ItemCount").value_or(0);
  result.size_bytes = optional_member<std::uint64_t>(table, "TableSizeBytes").value_or(0);
  result.on_demand = billed_on_demand(table);
  result.stream = read_stream(table);
  result.latest_stream_arn = optional_member<std::string_view>(table, "LatestStreamArn").value_or("");
  return result;
}

}  // namespace dynabackup::dynamodb
