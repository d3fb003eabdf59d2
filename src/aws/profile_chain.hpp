// From a profile to the steps that end in its credentials: a base (keys, a token, a sign-on) and the roles assumed with
// it, as AWS's SDKs read role_arn and source_profile. Held by the public assume-role vectors. Pure.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "aws/profile_file.hpp"

namespace dynabackup::aws {

struct chain_step {
  enum class kind { access_key, named_source, assume_role, web_identity, sso, credential_process, login_session };
  kind what;
  std::string profile;
  properties values;  ///< the settings this step needs, by their names in the file
};

struct profile_chain {
  std::vector<chain_step> steps;  ///< in the order they are taken, the base first; empty when there is a problem
  std::string problem;            ///< one sentence without values of settings
  bool nothing_set = false;       ///< the problem is only that `selected` says nothing of credentials or is not there
};

profile_chain resolve_profile(const profile_set& profiles, std::string_view selected);

/// What a step is called towards a user: "sts:AssumeRole", "IAM Identity Center (SSO)".
std::string_view title_of(chain_step::kind what);

}  // namespace dynabackup::aws
