#include "apps/configuration/process_settings.hpp"

#include <cstdlib>
#include <utility>

#include "dynabackup/shared_config.hpp"

namespace dynabackup::apps {

std::optional<std::string> environment_value(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

process_settings read_process_settings(by_setting<std::optional<std::string>> options,
                                       std::optional<std::string> config_file) {
  process_settings found;
  found.who = {environment_value, options[setting_id::profile]};
  configuration_sources sources;
  sources.options = std::move(options);
  sources.variables = environment_value;
  sources.profile_value = [&found](std::string_view key) { return shared_config_value(found.who, key); };
  if (!config_file) config_file = environment_value("DYNABACKUP_CONFIG");
  if (config_file) {
    sources.file_name = *config_file;
    sources.file_text = read_config(*config_file);
  }
  found.in_force = resolve(sources);
  return found;
}

}  // namespace dynabackup::apps
