// Which source credentials come from, in AWS's order: explicit profile, environment, shared files, web identity,
// container agent. The first that is configured is the one; what a source cannot do yet is refused by name.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "aws/credentials.hpp"
#include "dynabackup/settings.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

/// What sources need besides their settings. The references outlive the provider.
struct chain_surroundings {
  transport& network;
  runtime::clock& clock;
  std::uint64_t seed = 0;
  std::string region{};  ///< STS's, where neither the environment nor the profile names one
  bool fips = false;
  bool dualstack = false;
};

/// Looks when first asked, then keeps to the source it found and its credentials fresh.
std::unique_ptr<credential_provider> credential_chain(const credential_settings& settings,
                                                      const chain_surroundings& around);

}  // namespace dynabackup::aws
