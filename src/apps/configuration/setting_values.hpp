// What a setting's text means, and what is wrong with it. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "apps/configuration/settings_table.hpp"

namespace dynabackup::apps {

/// What is wrong with `text` as a value of that kind ("'3' is not …"), fit to follow a name; nullopt = nothing.
std::optional<std::string> problem_with(setting_kind kind, std::string_view text);

/// The following take text that problem_with() has passed.
bool flag_value(std::string_view text);
std::uint64_t number_value(std::string_view text);
/// "33554432", "32MiB", "32M" (binary, both), "32MB" (decimal); as coreutils read them.
std::uint64_t bytes_value(std::string_view text);

}  // namespace dynabackup::apps
