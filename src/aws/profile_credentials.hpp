// Credentials as a profile of the shared files describes them: keys, or roles assumed one after the other from a base.
// The files are read anew at every fetch, for the tools that rewrite them while a run goes on.
#pragma once
#include <cstdint>
#include <string>

#include "aws/credential_chain.hpp"
#include "aws/credentials.hpp"
#include "aws/profile_chain.hpp"
#include "aws/sts_client.hpp"

namespace dynabackup::aws {

/// The keys in the environment; usage_error when only half a pair is there, or none.
credentials environment_keys(const credential_settings& settings);
bool has_environment_keys(const credential_settings& settings);

/// What STS to ask: AWS_ENDPOINT_URL_STS and its like, the region of the environment or of the profile, else
/// `around`'s. usage_error where no region is known.
endpoint sts_place(const credential_settings& settings, const chain_surroundings& around);

/// `web_identity_token_file` and `role_arn` of the environment or of a profile; `given_by` names them for messages.
struct web_identity {
  role what;
  std::string token_file;
  std::string token_file_setting;
};
/// Named after us and the time when no name is given; usage_error when the given one is none.
std::string session_name_of(const std::optional<std::string>& given, runtime::clock& clock);
task<credentials> assume_with_web_identity(credential_settings settings, chain_surroundings around, web_identity who);

class profile_credentials final : public credential_source {
 public:
  profile_credentials(credential_settings settings, chain_surroundings around);
  task<credentials> fetch() override;

 private:
  task<credentials> base(chain_step step);
  task<credentials> assume(chain_step step, credentials as);
  [[nodiscard]] credentials keys_of(const chain_step& step) const;
  credential_settings settings_;
  chain_surroundings around_;
};

}  // namespace dynabackup::aws
