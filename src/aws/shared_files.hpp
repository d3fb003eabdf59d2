// Where AWS's shared files are, what they say of the selected profile, and the small files that sources of credentials
// read at every fetch. The only place of this floor that opens files.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "aws/profile_file.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::aws {

/// Where the shared files are and which profile counts, by settings and environment alone. A path is empty when it
/// would be under an unknown home.
struct shared_files {
  std::string config;
  std::string credentials;
  std::string profile = "default";
  std::string chosen_by;                     ///< "the profile setting", "AWS_PROFILE"; empty for the default
  bool config_named = false;                 ///< by AWS_CONFIG_FILE, not the default place
  bool credentials_named = false;            ///< by AWS_SHARED_CREDENTIALS_FILE
  [[nodiscard]] std::string places() const;  ///< both paths, for messages
};
shared_files locate_shared_files(const credential_settings& settings);

/// Both files, read now. A missing one is no error; a malformed one is a usage_error with its path.
profile_set read_profiles(const shared_files& where);
/// The file the keys of a profile come from: the credentials file wins where both have them.
std::string holder_of_keys(const shared_files& where, const std::string& profile);

/// The region and endpoints a profile sets, for callers that resolve settings: value of `key` in the selected profile
/// (AWS_PROFILE, else "default"), or nullopt.
std::optional<std::string> profile_value(const credential_settings& settings, std::string_view key);

/// The value of `key` for one service ("dynamodb", "dynamodb_streams", "s3", "sts"): in the [services …] section that
/// the selected profile names, nested under the service. For "endpoint_url" ask profile_value next.
std::optional<std::string> service_value(const credential_settings& settings, std::string_view service,
                                         std::string_view key);

/// The value of an environment variable; nullopt when it is unset or empty.
std::optional<std::string> variable(const credential_settings& settings, const char* name);

/// A token that others keep fresh in a file ('~' is HOME), without the white space around it: one line of printable
/// ASCII. `set_by` names the setting that holds the path. usage_error, never with the content.
std::string read_token(const credential_settings& settings, const std::string& path, std::string_view set_by);

}  // namespace dynabackup::aws
