#include "apps/configuration/configuration.hpp"

#include <fmt/format.h>

#include "apps/configuration/setting_values.hpp"
#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::apps {
namespace {

using id = setting_id;

void require_valid(const setting& which, const setting_value& value) {
  const auto problem = problem_with(which.kind, value.text);
  if (!problem) return;
  // A place in a file does not say which setting stands there.
  const std::string key = value.from == source::file ? std::string(which.name) + ": " : "";
  throw usage_error(fmt::format("{}: {}{}", value.origin, key, *problem));
}

[[noreturn]] void refuse_entry(const std::string& file_name, file_position at, const std::string& key,
                               std::string_view what) {
  throw usage_error(fmt::format("{}: {}: {}", place_text(file_name, at), printable(key), what));
}

void check_block(const std::string& file_name, const config_entry& entry) {
  if (is_settings_group(entry.key)) return;
  if (setting_by_file_key(entry.key) != nullptr)
    refuse_entry(file_name, entry.value_at, entry.key, "takes a value, not a block");
  const std::string_view near = nearest_file_key(entry.key);
  refuse_entry(file_name, entry.key_at, entry.key,
               near.empty() ? "unknown key" : fmt::format("unknown key; did you mean {}?", near));
}

const setting& known_setting(const std::string& file_name, const config_entry& entry) {
  if (const setting* found = setting_by_file_key(entry.key)) return *found;
  if (is_settings_group(entry.key))
    refuse_entry(file_name, entry.value_at, entry.key, fmt::format("is a block: {} {{ … }}", entry.key));
  const std::string_view near = nearest_file_key(entry.key);
  refuse_entry(file_name, entry.key_at, entry.key,
               near.empty() ? "unknown key" : fmt::format("unknown key; did you mean {}?", near));
}

configuration from_file(const configuration_sources& sources) {
  configuration found;
  if (!sources.file_text) return found;
  for (const config_entry& entry : parse_config(sources.file_name, *sources.file_text, sources.variables)) {
    if (entry.block) {
      check_block(sources.file_name, entry);
      continue;
    }
    const setting& which = known_setting(sources.file_name, entry);
    if (!entry.value) continue;
    found[which.id] = {source::file, *entry.value, place_text(sources.file_name, entry.value_at)};
    require_valid(which, found[which.id]);
  }
  return found;
}

bool endpoint_variables_ignored(const configuration_sources& sources) {
  constexpr auto name = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";
  const auto value = sources.variables(name);
  if (!value) return false;
  if (const auto problem = problem_with(setting_kind::flag, *value))
    throw usage_error(fmt::format("variable {}: {}", name, *problem));
  return flag_value(*value);
}

setting_value from_surroundings(const setting& which, const configuration_sources& sources, bool ignore_endpoints) {
  for (const std::string_view name : which.variables) {
    if (name.empty() || (ignore_endpoints && name.starts_with("AWS_ENDPOINT_URL"))) continue;
    if (auto value = sources.variables(std::string(name)))
      return {source::environment, std::move(*value), fmt::format("variable {}", name)};
  }
  if (!which.profile_key.empty() && !(ignore_endpoints && which.kind == setting_kind::url)) {
    auto value = sources.profile_value(which.profile_key);
    if (value && !value->empty())
      return {source::profile, std::move(*value), fmt::format("{} in the AWS profile", which.profile_key)};
  }
  if (!which.fallback.empty()) return {source::fallback, std::string(which.fallback), "default"};
  return {};
}

/// The general setting (region, endpoint URL) where it is stronger than the service's own, or alone.
void inherit(setting_value& own, const setting_value& general) {
  if (general.from > own.from) own = general;
}

void derive_endpoint(configuration& in_force) {
  setting_value& endpoint = in_force[id::dynamodb_endpoint];
  const setting_value& host = in_force[id::dynamodb_host];
  const setting_value& port = in_force[id::dynamodb_port];
  const bool tls = flag_value(in_force[id::dynamodb_tls].text);
  if (host.is_set() && host.from >= endpoint.from) {
    const bool ipv6 = host.text.find(':') != std::string::npos;
    endpoint = {host.from,
                fmt::format("{}://{}:{}", tls ? "https" : "http", ipv6 ? "[" + host.text + "]" : host.text, port.text),
                fmt::format("dynamodb.host ({})", host.origin)};
  } else if (!endpoint.is_set() && (!tls || number_value(port.text) != 443)) {
    const setting_value& alone = tls ? port : in_force[id::dynamodb_tls];
    throw usage_error(fmt::format(
        "{}: {} is set without a host: set dynamodb.host too (DYNAMODB_HOST, --dynamodb-host), or leave it out",
        alone.origin, tls ? "dynamodb.port" : "dynamodb.tls"));
  }
}

/// XDG Base Directory Specification: state that should outlive a restart but is not worth a backup.
void derive_state(configuration& in_force, const environment& variables) {
  setting_value& state = in_force[id::state];
  if (state.is_set()) return;
  if (const auto home = variables("XDG_STATE_HOME"); home && home->starts_with('/'))
    state = {source::fallback, *home + "/dynabackup", "variable XDG_STATE_HOME"};
  else if (const auto user = variables("HOME"); user && user->starts_with('/'))
    state = {source::fallback, *user + "/.local/state/dynabackup", "variable HOME"};
}

void derive_regions(configuration& in_force) {
  inherit(in_force[id::dynamodb_region], in_force[id::region]);
  setting_value& s3 = in_force[id::s3_region];
  inherit(s3, in_force[id::region]);
  if (s3.is_set()) return;
  if (const setting_value& table = in_force[id::dynamodb_region]; table.is_set())
    s3 = {source::fallback, table.text, "dynamodb.region"};
  else if (in_force[id::s3_endpoint].is_set())
    s3 = {source::fallback, "us-east-1", "default of a store with an endpoint of its own"};
}

}  // namespace

configuration resolve(const configuration_sources& sources) {
  configuration in_force = from_file(sources);
  const bool ignore_endpoints = endpoint_variables_ignored(sources);
  for (const setting& which : all_settings()) {
    setting_value& value = in_force[which.id];
    if (const auto& option = sources.options[which.id])
      value = {source::option, *option, std::string(which.option)};
    else if (!value.is_set())
      value = from_surroundings(which, sources, ignore_endpoints);
    if (value.is_set()) require_valid(which, value);
  }
  inherit(in_force[id::s3_endpoint], in_force[id::endpoint_url]);
  inherit(in_force[id::dynamodb_endpoint], in_force[id::endpoint_url]);
  inherit(in_force[id::lambda_endpoint], in_force[id::endpoint_url]);
  derive_endpoint(in_force);
  derive_regions(in_force);
  derive_state(in_force, sources.variables);
  if (!in_force[id::s3_parallelism].is_set())
    in_force[id::s3_parallelism] = {source::fallback, in_force[id::dynamodb_parallelism].text, "dynamodb.parallelism"};
  return in_force;
}

settings to_settings(const configuration& in_force, credential_settings credentials) {
  const auto text = [&](id which) { return in_force[which].text; };
  const auto optional_text = [&](id which) {
    return in_force[which].is_set() ? std::optional(in_force[which].text) : std::nullopt;
  };
  const auto number = [&](id which) { return static_cast<std::size_t>(number_value(in_force[which].text)); };
  const auto flag = [&](id which) { return flag_value(in_force[which].text); };

  const setting_value& key = in_force[id::s3_kms_key_id];
  if (key.is_set() && !text(id::s3_sse).starts_with("aws:kms"))
    throw usage_error(
        fmt::format("{}: s3.kms-key-id needs s3.sse = aws:kms or aws:kms:dsse (S3_SSE, --s3-sse)", key.origin));

  settings out;
  out.dynamodb = {text(id::dynamodb_region),
                  optional_text(id::dynamodb_endpoint),
                  number(id::dynamodb_parallelism),
                  number(id::dynamodb_segments),
                  static_cast<double>(number(id::max_read_units)),
                  static_cast<double>(number(id::max_write_units))};
  out.dynamodb.streams_endpoint = optional_text(id::dynamodb_streams_endpoint);
  out.s3 = {text(id::s3_region), optional_text(id::s3_endpoint), flag(id::s3_path_style), number(id::s3_parallelism),
            text(id::s3_sse),    text(id::s3_kms_key_id)};
  out.lambda.endpoint = optional_text(id::lambda_endpoint);
  out.endpoints = {flag(id::use_fips), flag(id::use_dualstack)};
  out.credentials = std::move(credentials);
  out.ca_bundle = text(id::ca_bundle);
  out.memory_bytes = static_cast<std::size_t>(bytes_value(text(id::memory)));
  out.max_attempts = static_cast<int>(number_value(text(id::max_attempts)));
  return out;
}

}  // namespace dynabackup::apps
