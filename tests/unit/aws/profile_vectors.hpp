// Reading the public profile suites: sections as JSON objects, and errors whose words are not ours.
#pragma once
#include <doctest/doctest.h>
#include <map>
#include <simdjson.h>
#include <string>
#include <utility>
#include <vector>

#include "aws/profile_file.hpp"

namespace dynabackup::fakes {

using sections = std::map<std::string, aws::properties, std::less<>>;

inline sections sections_of(const simdjson::dom::element& from, const char* name) {
  sections out;
  simdjson::dom::object listed;
  if (from[name].get(listed) != simdjson::SUCCESS) return out;
  for (const auto section : listed) {
    auto& values = out[std::string(section.key)];
    for (const auto property : simdjson::dom::object(section.value)) {
      values[std::string(property.key)] = std::string(std::string_view(property.value));
    }
  }
  return out;
}

/// Their words for an error (its beginning), and ours (a part of it).
using wordings = std::vector<std::pair<std::string, std::string>>;

inline std::string our_words(const wordings& known, std::string_view theirs) {
  for (const auto& [foreign, ours] : known) {
    if (theirs.starts_with(foreign)) return ours;
  }
  FAIL("an error without a wording: ", theirs);
  return {};
}

}  // namespace dynabackup::fakes
