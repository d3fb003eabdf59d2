// The settings in force: command line over file over environment over ~/.aws/config over default, each with the place
// it came from. What the process sees is handed in, so that a test decides it.
#pragma once
#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "apps/configuration/config_file.hpp"
#include "apps/configuration/settings_table.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::apps {

/// Weakest first: a setting comes from the strongest that has it.
enum class source { none, fallback, profile, environment, file, option };

struct setting_value {
  source from = source::none;
  std::string text;
  std::string origin;  ///< "--parallelism", "variable DYNAMODB_REGION", "backup.conf:3:12", "default", …
  [[nodiscard]] bool is_set() const { return from != source::none; }
  /// Somebody chose it.
  [[nodiscard]] bool is_given() const { return from > source::fallback; }
};

/// One slot a setting, by setting_id.
template <class T>
struct by_setting : std::array<T, setting_count> {
  using std::array<T, setting_count>::operator[];
  T& operator[](setting_id id) { return (*this)[static_cast<std::size_t>(id)]; }
  const T& operator[](setting_id id) const { return (*this)[static_cast<std::size_t>(id)]; }
};

using configuration = by_setting<setting_value>;

struct configuration_sources {
  by_setting<std::optional<std::string>> options;  ///< from the command line
  std::string file_name;                           ///< for messages
  std::optional<std::string> file_text;
  environment variables;
  std::function<std::optional<std::string>(std::string_view)> profile_value;  ///< of ~/.aws/config
};

/// usage_error names the place of a wrong value: "FILE:LINE:COLUMN: key: …", "variable NAME: …", "--option: …".
configuration resolve(const configuration_sources& sources);

/// What the engine takes. usage_error for combinations that cannot be meant.
settings to_settings(const configuration& in_force, credential_settings credentials);

}  // namespace dynabackup::apps
