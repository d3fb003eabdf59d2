#include "fakes/aws/dynamodb_request.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "archive/json_cursor.hpp"
#include "dynamodb/json_cursor.hpp"
#include "fakes/aws/dynamodb_item.hpp"

namespace dynabackup::fakes {
namespace {

api_error malformed() { return {"SerializationException", "Start of structure or map found where not expected."}; }

/// `tableName`, as AWS's messages spell members.
std::string lower_camel(std::string_view name) {
  std::string result(name);
  if (!result.empty() && result[0] >= 'A' && result[0] <= 'Z') result[0] = static_cast<char>(result[0] - 'A' + 'a');
  return result;
}

}  // namespace

api_error validation(std::string message) { return {"ValidationException", std::move(message)}; }

api_error not_found(const std::string& table) {
  return {"ResourceNotFoundException", fmt::format("Requested resource not found: Table: {} not found", table)};
}

std::string text_of(std::string_view literal) {
  if (literal.empty() || literal.front() != '"') throw malformed();
  std::string spelled;
  archive::json_cursor at(literal);
  at.string(spelled, "a string was expected");
  at.finish();
  return unescaped(std::string_view(spelled).substr(1, spelled.size() - 2));
}

std::vector<std::string_view> elements(std::string_view array) {
  if (array.empty() || array.front() != '[') throw malformed();
  std::vector<std::string_view> result;
  dynamodb::json_cursor at(array, "request");
  at.enter('[');
  while (at.next_element()) result.push_back(at.value());
  at.end();
  return result;
}

members::members(std::string_view object) {
  dynamodb::json_cursor at(object, "request");
  at.enter('{');
  while (const auto name = at.next_member()) {
    std::string known =
        name->find('\\') == std::string_view::npos ? std::string(*name) : text_of(fmt::format("\"{}\"", *name));
    all_.emplace_back(std::move(known), at.value());
  }
  at.end();
}

std::optional<std::string_view> members::raw(std::string_view name) const {
  const auto found = std::find_if(all_.begin(), all_.end(), [&](const auto& m) { return m.first == name; });
  if (found == all_.end() || found->second == "null") return std::nullopt;
  return found->second;
}

std::optional<std::string> members::text(std::string_view name) const {
  const auto literal = raw(name);
  if (!literal) return std::nullopt;
  return text_of(*literal);
}

std::optional<std::uint64_t> members::number(std::string_view name) const {
  const auto literal = raw(name);
  if (!literal) return std::nullopt;
  std::uint64_t value = 0;
  const char* end = literal->data() + literal->size();
  const auto [stopped, problem] = std::from_chars(literal->data(), end, value);
  if (problem == std::errc() && stopped == end) return value;
  if (literal->front() != '-') throw malformed();
  throw validation(
      fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member "
                  "must have value greater than or equal to 0",
                  *literal, lower_camel(name)));
}

bool members::flag(std::string_view name) const {
  const auto literal = raw(name);
  if (!literal) return false;
  if (*literal != "true" && *literal != "false") throw malformed();
  return *literal == "true";
}

std::string_view members::require(std::string_view name) const {
  if (const auto found = raw(name)) return *found;
  throw validation(fmt::format(
      "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
      lower_camel(name)));
}

std::string members::require_text(std::string_view name) const { return text_of(require(name)); }

void members::allow(std::initializer_list<std::string_view> names) const {
  for (const auto& [name, value] : all_) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      throw validation(fmt::format("this fake does not know the parameter {}", name));
    }
  }
}

capacity capacity_asked(const members& m) {
  const std::string asked = m.text("ReturnConsumedCapacity").value_or("NONE");
  if (asked == "NONE") return capacity::none;
  if (asked == "TOTAL") return capacity::total;
  if (asked == "INDEXES") return capacity::indexes;
  throw validation(
      fmt::format("1 validation error detected: Value '{}' at 'returnConsumedCapacity' failed to satisfy "
                  "constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]",
                  asked));
}

std::string capacity_json(const std::string& table, double units, capacity asked) {
  const std::string of_table =
      asked == capacity::indexes ? fmt::format(R"(,"Table":{{"CapacityUnits":{:.1f}}})", units) : "";
  return fmt::format(R"({{"TableName":{},"CapacityUnits":{:.1f}{}}})", json_string(table), units, of_table);
}

}  // namespace dynabackup::fakes
