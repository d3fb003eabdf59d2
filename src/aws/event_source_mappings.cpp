#include "aws/event_source_mappings.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// Lambda answers at most 100 a page; whoever answers more is another.
constexpr std::size_t most_mappings = 1'000;
/// Function ARNs end at 140 characters, UUIDs at 36; a marker is opaque.
constexpr std::size_t longest_function = 256;
constexpr std::size_t longest_word = 64;
constexpr std::size_t longest_source = 2'048;
constexpr std::size_t longest_marker = 4'096;

[[noreturn]] void fail(std::string_view problem) {
  throw format_error(fmt::format("ListEventSourceMappings answer: {}", problem));
}

/// Empty where it is absent or null.
std::string optional_text(const object& from, std::string_view name, std::size_t longest) {
  element found;
  if (from.at_key(name).get(found) != simdjson::SUCCESS || found.is_null()) return {};
  std::string_view text;
  if (found.get(text) != simdjson::SUCCESS) fail(fmt::format("{} is no text", name));
  if (text.size() > longest) fail(fmt::format("{} is too long", name));
  return std::string(text);
}

bool is_digit_or_letter(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// A text that must be there, of letters, digits and `others` only: it is shown, and put into a command for the user.
std::string word(const object& from, std::string_view name, std::size_t longest, std::string_view others) {
  std::string text = optional_text(from, name, longest);
  if (text.empty()) fail(fmt::format("a mapping has no {}", name));
  const bool fit =
      std::ranges::all_of(text, [&](char c) { return is_digit_or_letter(c) || others.find(c) != others.npos; });
  if (!fit) fail(fmt::format("a mapping's {} has characters that none has", name));
  return text;
}

event_source_mapping read_mapping(const element& listed) {
  object mapping;
  if (listed.get(mapping) != simdjson::SUCCESS) fail("EventSourceMappings holds something else than objects");
  return {.uuid = word(mapping, "UUID", longest_word, "-"),
          .function = word(mapping, "FunctionArn", longest_function, ":-_$./"),
          .source_arn = optional_text(mapping, "EventSourceArn", longest_source),
          .state = word(mapping, "State", longest_word, "")};
}

}  // namespace

bool event_source_mapping::is_on() const {
  return state == "Enabled" || state == "Enabling" || state == "Updating" || state == "Creating";
}

mapping_page read_event_source_mappings(std::string_view body) {
  simdjson::dom::parser parser;
  element root;
  if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) fail("not JSON");
  object answer;
  if (root.get(answer) != simdjson::SUCCESS) fail("no JSON object");
  array listed;
  if (answer.at_key("EventSourceMappings").get(listed) != simdjson::SUCCESS) fail("no EventSourceMappings");
  mapping_page page;
  for (const element each : listed) {
    if (page.mappings.size() == most_mappings) fail("more mappings than a page may have");
    page.mappings.push_back(read_mapping(each));
  }
  std::string next = optional_text(answer, "NextMarker", longest_marker);
  if (!next.empty()) page.next = std::move(next);
  return page;
}

}  // namespace dynabackup::aws
