// What the command line sees in these tests: variables, file and profile as plain maps.
#pragma once
#include <map>
#include <string>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::apps {

using words = std::map<std::string, std::string>;

inline environment variables_of(words from) {
  return [from = std::move(from)](const std::string& name) -> std::optional<std::string> {
    const auto found = from.find(name);
    if (found == from.end() || found->second.empty()) return std::nullopt;
    return found->second;
  };
}

struct surroundings {
  words variables = {};
  std::string file = {};
  words profile = {};
  words options = {};  ///< by setting name
};

inline configuration_sources sources_of(const surroundings& given) {
  configuration_sources out;
  out.variables = variables_of(given.variables);
  out.profile_value = [profile = variables_of(given.profile)](std::string_view key) {
    return profile(std::string(key));
  };
  out.file_name = "backup.conf";
  if (!given.file.empty()) out.file_text = given.file;
  for (const setting& which : all_settings())
    if (const auto option = given.options.find(std::string(which.name)); option != given.options.end())
      out.options[which.id] = option->second;
  return out;
}

/// The message of the usage_error that `action` throws; anything else is "(no usage error)".
template <class Action>
std::string complaint(Action action) {
  try {
    action();
  } catch (const usage_error& e) {
    return e.what();
  }
  return "(no usage error)";
}

}  // namespace dynabackup::apps
