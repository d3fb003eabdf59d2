#include "aws/profile_credentials.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <utility>

#include "aws/container_credentials.hpp"
#include "aws/credential_answer.hpp"
#include "aws/shared_files.hpp"
#include "dynabackup/error.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::aws {
namespace {

using kind = chain_step::kind;

// A key or token travels in a header: a stray newline in it would be refused far from here, and less clearly.
void check_printable(const std::optional<std::string>& value, std::string_view name) {
  if (value && !is_header_word(*value))
    throw usage_error(fmt::format("{} holds a space, a control character or a non-ASCII one", name));
}

void check_duration(const std::string& seconds, const std::string& profile) {
  int value = 0;
  const auto [end, failure] = std::from_chars(seconds.data(), seconds.data() + seconds.size(), value);
  if (failure != std::errc{} || end != seconds.data() + seconds.size() || value < 900 || value > 43'200)
    throw usage_error(fmt::format("duration_seconds of profile '{}' is no number from 900 to 43200", profile));
}

[[noreturn]] void refuse(const std::string& profile, std::string_view what, const std::string& selected) {
  throw usage_error(
      fmt::format("profile '{}' needs {}, which this version does not do yet; put keys into the environment with "
                  "`aws configure export-credentials --profile {} --format env`",
                  profile, what, selected));
}

void refuse_unsupported(const profile_chain& resolved, const std::string& selected) {
  for (const chain_step& step : resolved.steps) {
    const std::string source = value_of(step.values, "credential_source").value_or("");
    if (step.what == kind::sso || step.what == kind::credential_process || step.what == kind::login_session)
      refuse(step.profile, title_of(step.what), selected);
    if (value_of(step.values, "mfa_serial")) refuse(step.profile, "a code of an MFA device", selected);
    if (source == "Ec2InstanceMetadata") refuse(step.profile, "the credential_source Ec2InstanceMetadata", selected);
    if (step.what == kind::named_source && source != "Environment" && source != "EcsContainer") {
      throw usage_error(
          fmt::format("profile '{}' has a credential_source that is none: write Environment, "
                      "EcsContainer or Ec2InstanceMetadata",
                      step.profile));
    }
  }
}

bool endpoints_ignored(const credential_settings& settings) {
  std::string value = variable(settings, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").value_or("");
  for (char& c : value) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return value == "true";
}

std::optional<std::string> sts_url(const credential_settings& settings) {
  if (endpoints_ignored(settings)) return std::nullopt;
  for (const char* name : {"AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL"})
    if (auto url = variable(settings, name)) return url;
  if (auto url = service_value(settings, "sts", "endpoint_url")) return url;
  return profile_value(settings, "endpoint_url");
}

}  // namespace

bool has_environment_keys(const credential_settings& settings) {
  return variable(settings, "AWS_ACCESS_KEY_ID") || variable(settings, "AWS_SECRET_ACCESS_KEY");
}

credentials environment_keys(const credential_settings& settings) {
  const auto id = variable(settings, "AWS_ACCESS_KEY_ID");
  const auto secret = variable(settings, "AWS_SECRET_ACCESS_KEY");
  if (!id && !secret) throw usage_error("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set in the environment");
  if (!id || !secret) {
    throw usage_error(fmt::format("{} is set in the environment but {} is not: set both or neither",
                                  id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                                  id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"));
  }
  const auto token = variable(settings, "AWS_SESSION_TOKEN");
  check_printable(id, "AWS_ACCESS_KEY_ID");
  check_printable(secret, "AWS_SECRET_ACCESS_KEY");
  check_printable(token, "AWS_SESSION_TOKEN");
  credentials out{*id, *secret, token.value_or(""), std::nullopt, "environment"};
  if (const auto expiration = variable(settings, "AWS_CREDENTIAL_EXPIRATION")) {
    const auto at = text::parse_rfc3339(*expiration);
    if (!at) throw usage_error("AWS_CREDENTIAL_EXPIRATION is not a time like 2026-11-22T11:45:03Z");
    out.expires = std::chrono::floor<std::chrono::seconds>(*at);
  }
  return out;
}

endpoint sts_place(const credential_settings& settings, const chain_surroundings& around) {
  endpoint_query query;
  query.endpoint = sts_url(settings);
  query.fips = around.fips;
  query.dualstack = around.dualstack;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"})
    if (query.region.empty()) query.region = variable(settings, name).value_or("");
  if (query.region.empty()) query.region = profile_value(settings, "region").value_or("");
  if (query.region.empty()) query.region = around.region;
  return sts_endpoint(query);
}

std::string session_name_of(const std::optional<std::string>& given, runtime::clock& clock) {
  if (!given) return fmt::format("dynabackup-{}", clock.now().time_since_epoch().count());
  constexpr std::string_view marks = "_+=,.@-";
  const bool fit = given->size() >= 2 && given->size() <= 64 && std::all_of(given->begin(), given->end(), [&](char c) {
                     return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                            marks.find(c) != std::string_view::npos;
                   });
  if (!fit) throw usage_error("the role session name has 2 to 64 of the characters A-Z a-z 0-9 _+=,.@-");
  return *given;
}

task<credentials> assume_with_web_identity(credential_settings settings, chain_surroundings around, web_identity who) {
  std::string token = read_token(settings, who.token_file, who.token_file_setting);
  sts_client sts(around.network, around.clock, sts_place(settings, around), around.seed);
  const std::string arn = who.what.arn;
  credentials found = co_await sts.assume_role_with_web_identity(std::move(who.what), std::move(token));
  found.source = fmt::format("web identity, role {}", arn);
  co_return found;
}

profile_credentials::profile_credentials(credential_settings settings, chain_surroundings around)
    : settings_(std::move(settings)), around_(around) {}

task<credentials> profile_credentials::fetch() {
  const shared_files where = locate_shared_files(settings_);
  const profile_chain resolved = resolve_profile(read_profiles(where), where.profile);
  if (!resolved.problem.empty()) {
    const std::string chosen = where.chosen_by.empty() ? "" : fmt::format(" (chosen by {})", where.chosen_by);
    throw usage_error(fmt::format("no credentials: {}{} in {}", resolved.problem, chosen, where.places()));
  }
  refuse_unsupported(resolved, where.profile);
  credentials who = co_await base(resolved.steps.front());
  for (std::size_t i = 1; i < resolved.steps.size(); ++i) who = co_await assume(resolved.steps[i], std::move(who));
  co_return who;
}

task<credentials> profile_credentials::base(chain_step step) {
  if (step.what == kind::access_key) co_return keys_of(step);
  if (step.what == kind::named_source && step.values.find("credential_source")->second == "Environment")
    co_return environment_keys(settings_);
  if (step.what == kind::named_source) {
    if (!container_credentials::is_configured(settings_)) {
      throw usage_error(
          fmt::format("profile '{}' takes its keys from the container (credential_source = "
                      "EcsContainer), but neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor "
                      "AWS_CONTAINER_CREDENTIALS_FULL_URI is set",
                      step.profile));
    }
    container_credentials agent(settings_, around_.network, around_.clock);
    co_return co_await agent.fetch();
  }
  web_identity who;
  who.what.arn = step.values.find("role_arn")->second;
  who.what.session_name = session_name_of(value_of(step.values, "role_session_name"), around_.clock);
  who.token_file = step.values.find("web_identity_token_file")->second;
  who.token_file_setting = fmt::format("web_identity_token_file of profile '{}'", step.profile);
  co_return co_await assume_with_web_identity(settings_, around_, std::move(who));
}

task<credentials> profile_credentials::assume(chain_step step, credentials as) {
  role what;
  what.arn = step.values.find("role_arn")->second;
  what.session_name = session_name_of(value_of(step.values, "role_session_name"), around_.clock);
  what.external_id = value_of(step.values, "external_id").value_or("");
  what.duration_seconds = value_of(step.values, "duration_seconds").value_or("");
  if (!what.duration_seconds.empty()) check_duration(what.duration_seconds, step.profile);
  sts_client sts(around_.network, around_.clock, sts_place(settings_, around_), around_.seed);
  std::string source = fmt::format("profile {}, role {}", step.profile, what.arn);
  credentials found = co_await sts.assume_role(std::move(what), std::move(as));
  found.source = std::move(source);
  co_return found;
}

credentials profile_credentials::keys_of(const chain_step& step) const {
  const auto id = value_of(step.values, "aws_access_key_id");
  const auto secret = value_of(step.values, "aws_secret_access_key");
  const auto token = value_of(step.values, "aws_session_token");
  check_printable(id, fmt::format("aws_access_key_id of profile '{}'", step.profile));
  check_printable(secret, fmt::format("aws_secret_access_key of profile '{}'", step.profile));
  check_printable(token, fmt::format("aws_session_token of profile '{}'", step.profile));
  return {*id, *secret, token.value_or(""), std::nullopt,
          fmt::format("profile {} ({})", step.profile, holder_of_keys(locate_shared_files(settings_), step.profile))};
}

}  // namespace dynabackup::aws
