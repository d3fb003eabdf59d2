// Every setting once: its name, where it may be given, what it is. Arguments, configuration file, `config` and --help
// all read this table.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string_view>

namespace dynabackup::apps {

enum class setting_id : std::size_t {
  incremental_bucket,
  incremental_prefix,
  snapshot_bucket,
  snapshot_prefix,
  dynamodb_region,
  dynamodb_host,
  dynamodb_port,
  dynamodb_tls,
  dynamodb_endpoint,
  dynamodb_streams_endpoint,
  dynamodb_parallelism,
  dynamodb_segments,
  max_read_units,
  max_write_units,
  s3_region,
  s3_endpoint,
  s3_path_style,
  s3_parallelism,
  s3_sse,
  s3_kms_key_id,
  lambda_endpoint,
  region,
  endpoint_url,
  profile,
  use_fips,
  use_dualstack,
  ca_bundle,
  max_attempts,
  memory,
  state,
};
inline constexpr std::size_t setting_count = 30;

enum class setting_kind {
  text,
  bucket,
  prefix,
  host,
  url,
  port,
  flag,
  parallelism,
  segments,
  attempts,
  units,
  bytes,
  encryption
};

struct setting {
  setting_id id;
  setting_kind kind;
  std::string_view name;                      ///< its key in the configuration file, where it has one
  bool in_file;                               ///< may be given in the configuration file
  std::array<std::string_view, 2> variables;  ///< of the environment; the first that is set wins
  std::string_view profile_key;               ///< in the profile of ~/.aws/config; empty = not there
  std::string_view option;                    ///< "--name"
  std::string_view fallback;                  ///< the default, as it would be written; empty = none
  std::string_view help;                      ///< one line

  [[nodiscard]] std::string_view variable() const { return variables[0]; }
};

std::span<const setting, setting_count> all_settings();
const setting& setting_of(setting_id id);
/// nullptr when the configuration file knows no such key.
const setting* setting_by_file_key(std::string_view key);
/// True for "s3" and "s3.incremental": keys that hold settings.
bool is_settings_group(std::string_view key);
/// The known file key (setting or group) that `key` was probably meant to be; empty when none is near.
std::string_view nearest_file_key(std::string_view key);

}  // namespace dynabackup::apps
