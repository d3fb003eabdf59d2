#include "locations.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::cli {
namespace {

using id = setting_id;

std::vector<id> needed_settings(const arguments& line) {
  switch (line.what) {
    case command::backfill:
    case command::follow:
      return {id::incremental_bucket, id::dynamodb_region, id::s3_region};
    case command::snapshot:
      return {id::incremental_bucket, id::snapshot_bucket, id::s3_region};
    case command::restore:
      return {line.at ? id::incremental_bucket : id::snapshot_bucket, id::dynamodb_region, id::s3_region};
    case command::history:
    case command::show:
      return {id::incremental_bucket, id::s3_region};
    case command::config:
      return {};
  }
  return {};
}

std::string ways_to_give(const setting& which) {
  const bool region = which.id == id::dynamodb_region || which.id == id::s3_region;
  return fmt::format("{} ({}, or {}{} in the environment)", which.name, which.option, which.variable(),
                     region ? " or AWS_REGION" : "");
}

/// What {table} stands for; empty when the command knows none.
std::string table_for_prefixes(const arguments& line) {
  if (!line.prefix_table.empty()) return table_name_of(line.prefix_table);
  return line.table.empty() ? "" : table_name_of(line.table);
}

}  // namespace

void require_settings(const arguments& line, const configuration& in_force) {
  std::vector<std::string> missing;
  const std::vector<id> all = needed_settings(line);
  const bool needs_table = std::find(all.begin(), all.end(), id::dynamodb_region) != all.end();
  for (const id needed : all) {
    // The region of the table serves S3 too: one complaint is enough.
    const bool same_again =
        needed == id::s3_region && !missing.empty() && !in_force[id::dynamodb_region].is_set() && needs_table;
    if (!in_force[needed].is_set() && !same_again) missing.push_back(ways_to_give(setting_of(needed)));
  }
  if (missing.empty()) return;
  throw usage_error(
      fmt::format("{} needs {}: not set on the command line, in a configuration file or in the environment",
                  name_of(line.what), fmt::join(missing, " and ")));
}

locations locate(const arguments& line, const configuration& in_force) {
  if ((line.what == command::restore && !line.at) || !line.snapshot.empty()) {
    if (line.snapshot.empty()) throw usage_error("the name of the snapshot is empty");
    check_snapshot_name(line.snapshot);
  }
  const bool names_a_table =
      line.what != command::snapshot && line.what != command::history && line.what != command::show;
  if (names_a_table) table_name_of(line.table);
  const std::string table = table_for_prefixes(line);
  const setting_value& incremental_prefix = in_force[id::incremental_prefix];
  const setting_value& snapshot_prefix = in_force[id::snapshot_prefix];
  if (table.empty())
    for (const setting_value* prefix : {&incremental_prefix, &snapshot_prefix})
      if (names_table(prefix->text))
        throw usage_error(fmt::format("{}: the prefix {} holds {{table}}: say which table it is with --table",
                                      prefix->origin, in_quotes(prefix->text)));
  locations out;
  out.incremental = location_of(in_force[id::incremental_bucket], incremental_prefix, table);
  out.snapshot = location_of(in_force[id::snapshot_bucket], snapshot_prefix, table);
  out.warning = check_nesting(out.incremental, out.snapshot);
  return out;
}

}  // namespace dynabackup::cli
