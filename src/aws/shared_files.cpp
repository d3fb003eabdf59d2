#include "aws/shared_files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;
constexpr std::size_t largest_token = std::size_t{64} << 10;

std::string expand_home(const std::string& path, const std::optional<std::string>& home) {
  if (path != "~" && !path.starts_with("~/")) return path;
  return home ? *home + path.substr(1) : std::string{};
}

// At most one byte more than `limit`, so that the caller sees what is too much.
std::string text_of(std::ifstream& file, std::size_t limit) {
  std::string text(limit + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
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
  std::string text = text_of(file, largest_file);
  if (text.size() > largest_file) throw usage_error(fmt::format("{} is larger than 1 MiB: no AWS file is", path));
  return text;
}

}  // namespace

std::optional<std::string> variable(const credential_settings& settings, const char* name) {
  if (!settings.environment) return std::nullopt;
  auto value = settings.environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

std::string shared_files::places() const {
  if (config.empty() && credentials.empty()) return "the shared AWS files (HOME is not set)";
  if (config.empty() || credentials.empty()) return config + credentials;
  return fmt::format("{}, {}", credentials, config);
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

std::string holder_of_keys(const shared_files& where, const std::string& profile) {
  const profile_set only_credentials = parse_profiles({}, read_file(where.credentials, where.credentials_named));
  const auto found = only_credentials.profiles.find(profile);
  const bool there = found != only_credentials.profiles.end() && value_of(found->second, "aws_access_key_id");
  return there ? where.credentials : where.config;
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

std::string read_token(const credential_settings& settings, const std::string& path, std::string_view set_by) {
  const std::string place = expand_home(path, variable(settings, "HOME"));
  const std::string named = fmt::format("the token file {} ({})", place, set_by);
  std::error_code ignored;
  if (!std::filesystem::exists(place, ignored)) throw usage_error(named + " is not there");
  // A pipe or a device could keep the reader waiting for good.
  if (!std::filesystem::is_regular_file(place, ignored)) throw usage_error(named + " is no file");
  std::ifstream file(place, std::ios::binary);
  if (!file) throw usage_error(named + " cannot be read");
  std::string text = text_of(file, largest_token);
  if (text.size() > largest_token) throw usage_error(named + " is larger than 64 KiB: no token is");
  constexpr const char* blanks = " \t\r\n";
  text.erase(0, std::min(text.find_first_not_of(blanks), text.size()));
  text.erase(text.find_last_not_of(blanks) + 1);
  if (text.empty()) throw usage_error(named + " is empty");
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; }))
    throw usage_error(named + " holds a line break, a control character or a non-ASCII one");
  return text;
}

}  // namespace dynabackup::aws
