#include "aws/credential_chain.hpp"

#include <fmt/format.h>
#include <optional>
#include <utility>
#include <vector>

#include "aws/container_credentials.hpp"
#include "aws/credential_cache.hpp"
#include "aws/profile_credentials.hpp"
#include "aws/shared_files.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

constexpr const char* token_file_name = "AWS_WEB_IDENTITY_TOKEN_FILE";
constexpr const char* role_name = "AWS_ROLE_ARN";

class environment_credentials final : public credential_source {
 public:
  explicit environment_credentials(credential_settings settings) : settings_(std::move(settings)) {}
  task<credentials> fetch() override { co_return environment_keys(settings_); }

 private:
  credential_settings settings_;
};

class web_identity_credentials final : public credential_source {
 public:
  web_identity_credentials(credential_settings settings, chain_surroundings around)
      : settings_(std::move(settings)), around_(std::move(around)) {}

  task<credentials> fetch() override {
    web_identity who;
    who.what.arn = variable(settings_, role_name).value_or("");
    who.what.session_name = session_name_of(variable(settings_, "AWS_ROLE_SESSION_NAME"), around_.clock);
    who.token_file = variable(settings_, token_file_name).value_or("");
    who.token_file_setting = token_file_name;
    co_return co_await assume_with_web_identity(settings_, around_, std::move(who));
  }

 private:
  credential_settings settings_;
  chain_surroundings around_;
};

/// The walk along the chain: each source that has nothing leaves a note.
class search {
 public:
  search(const credential_settings& settings, const chain_surroundings& around)
      : settings_(settings), around_(around) {}

  std::unique_ptr<credential_source> run() {
    if (settings_.profile) return std::make_unique<profile_credentials>(settings_, around_);
    if (has_environment_keys(settings_)) return std::make_unique<environment_credentials>(settings_);
    notes_.emplace_back("environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set)");
    if (files_have_some()) return std::make_unique<profile_credentials>(settings_, around_);
    if (web_identity_is_set()) return std::make_unique<web_identity_credentials>(settings_, around_);
    if (container_credentials::is_configured(settings_))
      return std::make_unique<container_credentials>(settings_, around_.network, around_.clock);
    notes_.emplace_back(
        "container (neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set)");
    notes_.emplace_back("EC2 instance metadata (this version does not ask it yet)");
    throw usage_error(
        fmt::format("no AWS credentials found. Tried: {}. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                    "or a profile with access keys or a role",
                    fmt::join(notes_, "; ")));
  }

 private:
  // What is wrong with a profile beyond its having nothing is told when it is fetched from.
  bool files_have_some() {
    const shared_files where = locate_shared_files(settings_);
    const profile_set profiles = read_profiles(where);
    const profile_chain resolved = resolve_profile(profiles, where.profile);
    const bool asked_for = !where.chosen_by.empty() && !profiles.profiles.contains(where.profile);
    if (resolved.problem.empty() || !resolved.nothing_set || asked_for) return true;
    notes_.push_back(fmt::format("{} in {}", resolved.problem, where.places()));
    return false;
  }

  bool web_identity_is_set() {
    const bool file = variable(settings_, token_file_name).has_value();
    if (file && !variable(settings_, role_name))
      throw usage_error(fmt::format("{} is set but {} is not: a web identity needs both", token_file_name, role_name));
    if (!file) notes_.push_back(fmt::format("web identity ({} is not set)", token_file_name));
    return file;
  }

  const credential_settings& settings_;
  const chain_surroundings& around_;
  std::vector<std::string> notes_;
};

class chain_source final : public credential_source {
 public:
  chain_source(credential_settings settings, chain_surroundings around)
      : settings_(std::move(settings)), around_(std::move(around)) {}

  task<credentials> fetch() override {
    if (!found_) found_ = search(settings_, around_).run();
    co_return co_await found_->fetch();
  }

 private:
  credential_settings settings_;
  chain_surroundings around_;
  std::unique_ptr<credential_source> found_;
};

}  // namespace

std::unique_ptr<credential_provider> credential_chain(const credential_settings& settings,
                                                      const chain_surroundings& around) {
  return std::make_unique<credential_cache>(std::make_unique<chain_source>(settings, around), around.clock,
                                            around.seed);
}

}  // namespace dynabackup::aws
