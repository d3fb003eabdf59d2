#include "aws/profile_chain.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>
#include <utility>

namespace dynabackup::aws {
namespace {

using kind = chain_step::kind;
using names = std::initializer_list<std::string_view>;

bool has(const properties& profile, std::string_view name) { return value_of(profile, name).has_value(); }

bool has_any(const properties& profile, names wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [&](std::string_view name) { return has(profile, name); });
}

bool has_keys(const properties& profile) {
  return has(profile, "aws_access_key_id") && has(profile, "aws_secret_access_key");
}

chain_step step(kind what, std::string_view name, const properties& profile, names wanted) {
  chain_step out{what, std::string(name), {}};
  for (const auto wanted_name : wanted) {
    if (auto value = value_of(profile, wanted_name)) out.values.emplace(wanted_name, std::move(*value));
  }
  return out;
}

chain_step key_step(std::string_view name, const properties& profile) {
  return step(kind::access_key, name, profile,
              {"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id"});
}

class resolver {
 public:
  explicit resolver(const profile_set& profiles) : profiles_(profiles) {}

  profile_chain run(std::string_view selected) {
    walk(selected);
    if (out_.problem.empty()) {
      std::reverse(out_.steps.begin(), out_.steps.end());
    } else {
      out_.steps.clear();
    }
    return std::move(out_);
  }

 private:
  void fail(std::string problem) { out_.problem = std::move(problem); }

  void nothing(std::string problem) {
    // Only of the selected profile: a source profile without credentials is a mistake.
    out_.nothing_set = visited_.size() <= 1;
    fail(std::move(problem));
  }

  // Roles are pushed from the outermost inwards, the base last.
  void walk(std::string_view name) {
    if (profiles_.profiles.empty()) return nothing("no profiles are defined");
    for (;;) {
      const auto found = profiles_.profiles.find(name);
      if (found == profiles_.profiles.end()) return missing(name);
      if (std::find(visited_.begin(), visited_.end(), name) != visited_.end()) {
        return fail(fmt::format("the source_profile settings form an infinite loop at profile '{}'", name));
      }
      visited_.push_back(name);
      const properties& profile = found->second;
      const bool is_source = visited_.size() > 1;
      if (is_source && has_keys(profile)) return out_.steps.push_back(key_step(name, profile));
      // A web identity is a base of its own: its role needs no source.
      if (!has(profile, "role_arn") || has(profile, "web_identity_token_file")) return base(name, profile);
      const auto source = assume_role(name, profile);
      if (!out_.problem.empty()) return;
      if (source.empty() || source == name) return base(name, profile);
      name = source;
    }
  }

  void missing(std::string_view name) {
    if (visited_.empty()) return nothing(fmt::format("there is no profile '{}'", name));
    fail(fmt::format("profile '{}' names the source_profile '{}', which does not exist", visited_.back(), name));
  }

  // The name of the source profile; empty for a credential_source, which the same profile is the base of.
  std::string_view assume_role(std::string_view name, const properties& profile) {
    const bool source = has(profile, "source_profile");
    const bool named = has(profile, "credential_source");
    if (source && named) {
      fail(fmt::format("profile '{}' has both source_profile and credential_source; it may have one", name));
      return {};
    }
    if (!source && !named) {
      fail(fmt::format("profile '{}' has a role_arn but neither source_profile nor credential_source", name));
      return {};
    }
    out_.steps.push_back(step(kind::assume_role, name, profile,
                              {"role_arn", "role_session_name", "external_id", "duration_seconds", "mfa_serial"}));
    return source ? std::string_view(profile.find("source_profile")->second) : std::string_view{};
  }

  void base(std::string_view name, const properties& profile) {
    const bool self_sourced = has(profile, "source_profile");
    if (has(profile, "credential_source") && !self_sourced) {
      return out_.steps.push_back(step(kind::named_source, name, profile, {"credential_source"}));
    }
    if (has(profile, "web_identity_token_file")) return web_identity(name, profile);
    if (has_any(profile, {"sso_session", "sso_account_id", "sso_role_name", "sso_region", "sso_start_url"})) {
      return sso(name, profile);
    }
    if (has_keys(profile)) return out_.steps.push_back(key_step(name, profile));
    if (has(profile, "credential_process")) {
      return out_.steps.push_back(step(kind::credential_process, name, profile, {"credential_process"}));
    }
    if (has(profile, "login_session")) {
      return out_.steps.push_back(step(kind::login_session, name, profile, {"login_session"}));
    }
    if (has(profile, "aws_access_key_id")) return fail(fmt::format("profile '{}' lacks aws_secret_access_key", name));
    if (has(profile, "aws_secret_access_key")) return fail(fmt::format("profile '{}' lacks aws_access_key_id", name));
    nothing(fmt::format("profile '{}' holds no credentials", name));
  }

  void web_identity(std::string_view name, const properties& profile) {
    if (!has(profile, "role_arn")) {
      return fail(fmt::format("profile '{}' has a web_identity_token_file but no role_arn", name));
    }
    out_.steps.push_back(
        step(kind::web_identity, name, profile, {"role_arn", "role_session_name", "web_identity_token_file"}));
  }

  void sso(std::string_view name, const properties& profile) {
    chain_step out = step(kind::sso, name, profile,
                          {"sso_session", "sso_account_id", "sso_role_name", "sso_region", "sso_start_url"});
    if (has(profile, "sso_session")) {
      if (has_any(profile, {"sso_region", "sso_start_url"})) {
        return fail(
            fmt::format("profile '{}' names an sso_session: sso_region and sso_start_url then belong in the "
                        "[sso-session] section only",
                        name));
      }
      const auto& session_name = profile.find("sso_session")->second;
      const auto session = profiles_.sso_sessions.find(session_name);
      if (session == profiles_.sso_sessions.end()) {
        return fail(fmt::format("profile '{}' names the sso-session '{}', which does not exist", name, session_name));
      }
      out.values.merge(step(kind::sso, name, session->second, {"sso_region", "sso_start_url"}).values);
    }
    if (has(profile, "sso_account_id") != has(profile, "sso_role_name")) {
      return fail(fmt::format("profile '{}' has only one of sso_account_id and sso_role_name; both are needed", name));
    }
    if (!has(out.values, "sso_region") || !has(out.values, "sso_start_url")) {
      return fail(fmt::format("profile '{}' signs on by SSO but lacks sso_region or sso_start_url", name));
    }
    out_.steps.push_back(std::move(out));
  }

  const profile_set& profiles_;
  profile_chain out_;
  std::vector<std::string_view> visited_;
};

}  // namespace

profile_chain resolve_profile(const profile_set& profiles, std::string_view selected) {
  return resolver(profiles).run(selected);
}

std::string_view title_of(chain_step::kind what) {
  switch (what) {
    case kind::access_key:
      return "access keys";
    case kind::named_source:
      return "a credential_source";
    case kind::assume_role:
      return "sts:AssumeRole";
    case kind::web_identity:
      return "sts:AssumeRoleWithWebIdentity";
    case kind::sso:
      return "IAM Identity Center (SSO)";
    case kind::credential_process:
      return "a credential_process";
    case kind::login_session:
      return "an `aws login` session";
  }
  return "";
}

}  // namespace dynabackup::aws
