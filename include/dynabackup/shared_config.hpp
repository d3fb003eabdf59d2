// A front end's view of AWS's shared configuration files: what the selected profile says of region and endpoints.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/settings.hpp"

namespace dynabackup {

/// The value of `key` ("region", "endpoint_url", "ca_bundle") in the selected profile (credential_settings::profile,
/// else AWS_PROFILE, else "default"). A missing file or profile is nullopt; a malformed file a usage_error.
std::optional<std::string> shared_config_value(const credential_settings& settings, std::string_view key);

}  // namespace dynabackup
