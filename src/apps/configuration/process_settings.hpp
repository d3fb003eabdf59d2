// What the process finds around it: variables, the configuration file and ~/.aws, resolved to the settings in force.
#pragma once
#include <optional>
#include <string>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::apps {

/// Like getenv; unset or empty = nullopt.
std::optional<std::string> environment_value(const std::string& name);

struct process_settings {
  credential_settings who;
  configuration in_force;
};

/// `config_file` where the command line names one, else DYNABACKUP_CONFIG's. usage_error as resolve() and
/// read_config().
process_settings read_process_settings(by_setting<std::optional<std::string>> options,
                                       std::optional<std::string> config_file);

}  // namespace dynabackup::apps
