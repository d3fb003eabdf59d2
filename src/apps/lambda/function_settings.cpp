#include "apps/lambda/function_settings.hpp"

#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "apps/configuration/prefixes.hpp"
#include "apps/configuration/setting_values.hpp"
#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::bootstrap {
namespace {

using id = apps::setting_id;
using namespace std::chrono_literals;

/// A function runs 15 minutes at most.
constexpr long longest_budget = 890;
/// The platform may freeze us at any time between two invocations, and what rested is likely to be dead then.
constexpr auto longest_rest = 5s;

std::vector<id> needed_settings(function what) {
  switch (what) {
    case function::backup:
      return {id::incremental_bucket, id::s3_region, id::dynamodb_region};
    case function::snapshot:
      return {id::incremental_bucket, id::snapshot_bucket, id::s3_region};
    case function::restore:
      return {id::snapshot_bucket, id::s3_region, id::dynamodb_region};
  }
  return {};
}

void require_settings(function what, const apps::configuration& in_force) {
  for (const id needed : needed_settings(what))
    if (!in_force[needed].is_set())
      throw usage_error(fmt::format("the function {} needs {}: set the environment variable {}", name_of(what),
                                    apps::setting_of(needed).name, apps::setting_of(needed).variable()));
}

bool flag(const apps::environment& variables, const char* name) {
  const std::optional<std::string> text = variables(name);
  if (!text) return false;
  if (const auto problem = apps::problem_with(apps::setting_kind::flag, *text))
    throw usage_error(fmt::format("variable {}: {}", name, *problem));
  return apps::flag_value(*text);
}

std::optional<std::chrono::seconds> budget(const apps::environment& variables) {
  constexpr const char* name = "DYNABACKUP_HTTP_BUDGET";
  const std::optional<std::string> text = variables(name);
  if (!text) return std::nullopt;
  long seconds = 0;
  const char* const end = text->data() + text->size();
  const auto read = std::from_chars(text->data(), end, seconds);
  if (read.ec != std::errc{} || read.ptr != end || seconds < 1 || seconds > longest_budget)
    throw usage_error(fmt::format("variable {}: {} is not a whole number of seconds from 1 to {}", name,
                                  apps::in_quotes(*text), longest_budget));
  return std::chrono::seconds{seconds};
}

}  // namespace

std::string_view name_of(function which) {
  switch (which) {
    case function::backup:
      return "backup";
    case function::snapshot:
      return "snapshot";
    case function::restore:
      return "restore";
  }
  return "";
}

std::optional<function> function_named(std::string_view handler) {
  constexpr std::string_view older = "eu.jobmatchme.dynamodb.backup.Lambda::";
  if (handler.starts_with(older)) handler.remove_prefix(older.size());
  for (const function each : {function::backup, function::snapshot, function::restore})
    if (handler == name_of(each)) return each;
  return std::nullopt;
}

function_settings read_function_settings(function what, apps::process_settings around,
                                         const apps::environment& variables) {
  require_settings(what, around.in_force);
  function_settings out;
  out.what = what;
  out.library = apps::to_settings(around.in_force, std::move(around.who));
  out.library.idle_connection = longest_rest;
  out.in_force = std::move(around.in_force);
  out.partial_batch = flag(variables, "DYNABACKUP_PARTIAL_BATCH");
  out.coalesce = flag(variables, "DYNABACKUP_COALESCE");
  out.dead_letters = flag(variables, "DYNABACKUP_DEAD_LETTERS");
  out.unversioned = flag(variables, "DYNABACKUP_UNVERSIONED");
  out.adopt = flag(variables, "DYNABACKUP_ADOPT");
  out.http_budget = budget(variables);
  // A {table} that both hold is the same one.
  constexpr std::string_view any_table = "{table}";
  const auto lies = [&](id bucket, id prefix) {
    return apps::location_of(out.in_force[bucket], out.in_force[prefix], any_table);
  };
  apps::check_nesting(lies(id::incremental_bucket, id::incremental_prefix),
                      lies(id::snapshot_bucket, id::snapshot_prefix));
  return out;
}

}  // namespace dynabackup::bootstrap
