#include "aws/credential_chain.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <utility>
#include <vector>

#include "aws/profile_chain.hpp"
#include "dynabackup/error.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::aws {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

std::optional<std::string> variable(const credential_settings& settings, const char* name) {
  if (!settings.environment) return std::nullopt;
  auto value = settings.environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::string expand_home(const std::string& path, const std::optional<std::string>& home) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return home ? *home + path.substr(1) : std::string{};
}

/// `named`: by a variable. A default place that may not be looked into (the HOME of another user, in a container) is
/// as good as empty.
std::string read_file(const std::string& path, bool named) {
  if (path.empty()) return {};
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  const int reason = errno;
  std::error_code ignored;
  if (!file) {
    if (!std::filesystem::exists(path, ignored) && !ignored) return {};
    if (!named && reason == EACCES) return {};
    throw usage_error(fmt::format("cannot read {}: {}", path, reason != 0 ? std::strerror(reason) : "not readable"));
  }
  if (std::filesystem::is_directory(path, ignored)) throw usage_error(fmt::format("{} is a folder, not a file", path));
  std::string text(largest_file + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > largest_file) throw usage_error(fmt::format("{} is larger than 1 MiB: no AWS file is", path));
  return text;
}

profile_set read_profiles(const shared_files& where) {
  const std::string config = read_file(where.config, where.config_named);
  const std::string credentials = read_file(where.credentials, where.credentials_named);
  try {
    return parse_profiles(config, credentials);
  } catch (const format_error& e) {
    // The paths are known here only.
    throw usage_error(
        fmt::format("{} (config file: {}, credentials file: {})", e.what(), where.config, where.credentials));
  }
}

// A key or token travels in a header: a stray newline in it would be refused far from here, and less clearly.
void check_printable(const std::optional<std::string>& value, std::string_view name) {
  const bool fit = !value || std::all_of(value->begin(), value->end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!fit) throw usage_error(fmt::format("{} holds a space, a control character or a non-ASCII one", name));
}

class chain {
 public:
  explicit chain(const credential_settings& settings) : settings_(settings), files_(locate_shared_files(settings)) {}

  credentials find() {
    if (settings_.profile) {
      if (auto found = from_files()) return *std::move(found);
      throw usage_error(fmt::format("no credentials: {}", notes_.back()));
    }
    if (auto found = from_environment()) return *std::move(found);
    if (auto found = from_files()) return *std::move(found);
    note_later_sources();
    throw usage_error(
        fmt::format("no AWS credentials found. Tried: {}. Set AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY, or a profile with access keys",
                    fmt::join(notes_, "; ")));
  }

 private:
  std::optional<credentials> from_environment() {
    const auto id = variable(settings_, "AWS_ACCESS_KEY_ID");
    const auto secret = variable(settings_, "AWS_SECRET_ACCESS_KEY");
    if (!id && !secret) {
      notes_.emplace_back("environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set)");
      return std::nullopt;
    }
    if (!id || !secret) {
      throw usage_error(fmt::format("{} is set in the environment but {} is not: set both or neither",
                                    id ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                                    id ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID"));
    }
    const auto token = variable(settings_, "AWS_SESSION_TOKEN");
    check_printable(id, "AWS_ACCESS_KEY_ID");
    check_printable(secret, "AWS_SECRET_ACCESS_KEY");
    check_printable(token, "AWS_SESSION_TOKEN");
    credentials out{*id, *secret, token.value_or(""), std::nullopt, "environment"};
    if (const auto expiration = variable(settings_, "AWS_CREDENTIAL_EXPIRATION")) {
      const auto at = text::parse_rfc3339(*expiration);
      if (!at) throw usage_error("AWS_CREDENTIAL_EXPIRATION is not a time like 2026-11-22T11:45:03Z");
      out.expires = std::chrono::floor<std::chrono::seconds>(*at);
    }
    return out;
  }

  std::optional<credentials> from_files() {
    const profile_set profiles = read_profiles(files_);
    const profile_chain resolved = resolve_profile(profiles, files_.profile);
    if (!resolved.problem.empty()) {
      const bool chosen = !files_.chosen_by.empty();
      const std::string problem = fmt::format("{}{} in {}", resolved.problem,
                                              chosen ? fmt::format(" (chosen by {})", files_.chosen_by) : "", places());
      if (!resolved.nothing_set) throw usage_error(problem);
      notes_.push_back(problem);
      return std::nullopt;
    }
    refuse_unsupported(resolved);
    return from_keys(resolved.steps.front());
  }

  void refuse_unsupported(const profile_chain& resolved) const {
    for (const chain_step& step : resolved.steps) {
      if (step.what == chain_step::kind::access_key) continue;
      throw usage_error(
          fmt::format("profile '{}' needs {}, which this version does not do yet; put keys into the "
                      "environment with `aws configure export-credentials --profile {} --format env`",
                      step.profile, title_of(step.what), files_.profile));
    }
  }

  credentials from_keys(const chain_step& step) const {
    const auto id = value_of(step.values, "aws_access_key_id");
    const auto secret = value_of(step.values, "aws_secret_access_key");
    const auto token = value_of(step.values, "aws_session_token");
    check_printable(id, fmt::format("aws_access_key_id of profile '{}'", step.profile));
    check_printable(secret, fmt::format("aws_secret_access_key of profile '{}'", step.profile));
    check_printable(token, fmt::format("aws_session_token of profile '{}'", step.profile));
    return {*id, *secret, token.value_or(""), std::nullopt,
            fmt::format("profile {} ({})", step.profile, holder_of(step.profile))};
  }

  // The file the keys came from: the credentials file wins where both have them.
  [[nodiscard]] std::string holder_of(const std::string& profile) const {
    const profile_set only_credentials = parse_profiles({}, read_file(files_.credentials, files_.credentials_named));
    const auto found = only_credentials.profiles.find(profile);
    const bool there = found != only_credentials.profiles.end() && value_of(found->second, "aws_access_key_id");
    return there ? files_.credentials : files_.config;
  }

  [[nodiscard]] std::string places() const {
    if (files_.config.empty() && files_.credentials.empty()) return "the shared AWS files (HOME is not set)";
    if (files_.config.empty() || files_.credentials.empty()) return files_.config + files_.credentials;
    return fmt::format("{}, {}", files_.credentials, files_.config);
  }

  void note_later_sources() {
    constexpr std::pair<const char*, const char*> later[] = {
        {"AWS_WEB_IDENTITY_TOKEN_FILE", "web identity"},
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "container credentials"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "container credentials"},
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "EC2 instance metadata"}};
    for (const auto& [name, title] : later) {
      if (variable(settings_, name)) {
        notes_.push_back(fmt::format("{} ({} is set, but this version does not support that source yet)", title, name));
      }
    }
  }

  const credential_settings& settings_;
  shared_files files_;
  std::vector<std::string> notes_;
};

class chain_provider final : public credential_provider {
 public:
  explicit chain_provider(credential_settings settings) : settings_(std::move(settings)) {}

  task<credentials> current() override {
    if (!found_) found_ = chain(settings_).find();
    co_return *found_;
  }

 private:
  credential_settings settings_;
  std::optional<credentials> found_;
};

}  // namespace

std::unique_ptr<credential_provider> credential_chain(const credential_settings& settings) {
  return std::make_unique<chain_provider>(settings);
}

shared_files locate_shared_files(const credential_settings& settings) {
  const auto home = variable(settings, "HOME");
  const auto path = [&](const char* name, const char* otherwise) {
    return expand_home(variable(settings, name).value_or(otherwise), home);
  };
  shared_files out;
  out.config = path("AWS_CONFIG_FILE", "~/.aws/config");
  out.credentials = path("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials");
  out.config_named = variable(settings, "AWS_CONFIG_FILE").has_value();
  out.credentials_named = variable(settings, "AWS_SHARED_CREDENTIALS_FILE").has_value();
  if (settings.profile) {
    out.profile = *settings.profile;
    out.chosen_by = "the profile setting";
    return out;
  }
  for (const char* name : {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}) {
    const auto profile = variable(settings, name);
    if (!profile) continue;
    out.profile = *profile;
    out.chosen_by = name;
    break;
  }
  return out;
}

std::optional<std::string> profile_value(const credential_settings& settings, std::string_view key) {
  const shared_files where = locate_shared_files(settings);
  const profile_set set = read_profiles(where);
  const auto profile = set.profiles.find(where.profile);
  return profile == set.profiles.end() ? std::nullopt : value_of(profile->second, key);
}

std::optional<std::string> service_value(const credential_settings& settings, std::string_view service,
                                         std::string_view key) {
  const shared_files where = locate_shared_files(settings);
  const profile_set set = read_profiles(where);
  const auto profile = set.profiles.find(where.profile);
  if (profile == set.profiles.end()) return std::nullopt;
  const auto named = value_of(profile->second, "services");
  if (!named) return std::nullopt;
  const auto section = set.services.find(*named);
  if (section == set.services.end()) {
    throw usage_error(fmt::format("profile '{}' names the services section '{}', which {} does not have", where.profile,
                                  *named, where.config));
  }
  const auto block = value_of(section->second, service);
  return block ? value_of(sub_properties(*block), key) : std::nullopt;
}

}  // namespace dynabackup::aws
