// What AWS's shared files (~/.aws/config, ~/.aws/credentials) say about the selected profile, for front ends that
// resolve settings such as a region. Credentials are not for them: the engine reads those itself.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/settings.hpp"

namespace dynabackup {

/// Value of `key` ("region", "endpoint_url", "max_attempts", …) in the selected profile: `who.profile`, else
/// AWS_PROFILE, else "default". nullopt when a file, the profile or the key is missing. format_error names file and
/// line, never a value.
std::optional<std::string> shared_config_value(const credential_settings& who, std::string_view key);

}  // namespace dynabackup
