// Explicit profile, environment, shared files: the start of AWS's chain, in its order. Other profile kinds (assume role,
// web identity, process, SSO) are recognised and refused by name; they plug in behind credential_provider.
#pragma once
#include <memory>

#include "aws/credentials.hpp"
#include "aws/profile_file.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::aws {

std::unique_ptr<credential_provider> credential_chain(const credential_settings& settings);

/// The region and endpoints a profile sets, for callers that resolve settings: value of `key` in the selected profile
/// (AWS_PROFILE, else "default"), or nullopt. A missing file is no error.
std::optional<std::string> profile_value(const credential_settings& settings, std::string_view key);

}  // namespace dynabackup::aws
