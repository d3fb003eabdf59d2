// Explicit profile, environment, shared files: the start of AWS's chain, in its order. Other profile kinds (assume
// role, web identity, process, SSO) are recognised and refused by name; they plug in behind credential_provider.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aws/credentials.hpp"
#include "aws/profile_file.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::aws {

/// Looks when first asked, then keeps what it found.
std::unique_ptr<credential_provider> credential_chain(const credential_settings& settings);

/// The region and endpoints a profile sets, for callers that resolve settings: value of `key` in the selected profile
/// (AWS_PROFILE, else "default"), or nullopt. A missing file is no error; a malformed one is a usage_error.
std::optional<std::string> profile_value(const credential_settings& settings, std::string_view key);

/// The value of `key` for one service ("dynamodb", "dynamodb_streams", "s3", "sts"): in the [services …] section that
/// the selected profile names, nested under the service. For "endpoint_url" ask profile_value next.
std::optional<std::string> service_value(const credential_settings& settings, std::string_view service,
                                         std::string_view key);

/// Where the shared files are and which profile counts, by settings and environment alone. A path is empty when it
/// would be under an unknown home.
struct shared_files {
  std::string config;
  std::string credentials;
  std::string profile = "default";
  std::string chosen_by;           ///< "the profile setting", "AWS_PROFILE"; empty for the default
  bool config_named = false;       ///< by AWS_CONFIG_FILE, not the default place
  bool credentials_named = false;  ///< by AWS_SHARED_CREDENTIALS_FILE
};
shared_files locate_shared_files(const credential_settings& settings);

}  // namespace dynabackup::aws
