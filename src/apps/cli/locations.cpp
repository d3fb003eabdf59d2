#include "locations.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "dynabackup/error.hpp"
#include "text_forms.hpp"

namespace dynabackup::cli {
namespace {

using id = setting_id;
constexpr std::string_view table_mark = "{table}";
constexpr std::string_view bookkeeping = ".dynabackup/";

bool is_table_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                  c == '-';
         });
}

void check_snapshot_name(std::string_view name) {
  if (name.size() > 400 || name.starts_with('/') || name.ends_with('/') || name.starts_with(bookkeeping) ||
      printable(name) != name)
    throw usage_error(fmt::format("{} cannot be the name of a snapshot", in_quotes(name)));
}

std::vector<id> needed_settings(command what) {
  switch (what) {
    case command::backfill:
    case command::follow:
      return {id::incremental_bucket, id::dynamodb_region, id::s3_region};
    case command::snapshot:
      return {id::incremental_bucket, id::snapshot_bucket, id::s3_region};
    case command::restore:
      return {id::snapshot_bucket, id::dynamodb_region, id::s3_region};
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

s3_location location_of(const setting_value& bucket, const setting_value& prefix, std::string_view table) {
  return s3_location::of(bucket.text, expand_prefix(prefix.text, table));
}

}  // namespace

std::string table_name_of(std::string_view table) {
  std::string_view name = table;
  if (table.starts_with("arn:")) {
    const auto at = table.find(":table/");
    name = at == std::string_view::npos ? "" : table.substr(at + std::string_view(":table/").size());
  }
  if (!is_table_name(name))
    throw usage_error(
        fmt::format("{} is neither the name of a table (3 to 255 of A-Z a-z 0-9 _ . -) nor its ARN", in_quotes(table)));
  return std::string(name);
}

bool names_table(std::string_view prefix) { return prefix.find(table_mark) != std::string_view::npos; }

std::string expand_prefix(std::string_view prefix, std::string_view table_name) {
  std::string out;
  for (std::size_t at = 0; at < prefix.size();) {
    const std::size_t mark = std::min(prefix.find(table_mark, at), prefix.size());
    out += prefix.substr(at, mark - at);
    if (mark < prefix.size()) out += table_name;
    at = mark + table_mark.size();
  }
  return out;
}

std::optional<std::string> check_nesting(const s3_location& incremental, const s3_location& snapshot) {
  if (incremental.bucket.empty() || incremental.bucket != snapshot.bucket) return std::nullopt;
  const bool equal = incremental.prefix == snapshot.prefix;
  if (equal || snapshot.prefix.starts_with(incremental.prefix))
    throw usage_error(fmt::format(
        "snapshots ({}) would lie {} ({}), and a snapshot would swallow the earlier ones: choose another "
        "s3.snapshot.prefix or s3.incremental.prefix (SNAPSHOT_PREFIX, INCREMENTAL_PREFIX), or two buckets",
        printable(snapshot.text()), equal ? "where the items lie" : "among the items", printable(incremental.text())));
  if (incremental.prefix.starts_with(snapshot.prefix))
    return fmt::format(
        "the items ({}) lie inside the prefix of the snapshots ({}); that works, but two prefixes side "
        "by side are easier to tell apart",
        printable(incremental.text()), printable(snapshot.text()));
  return std::nullopt;
}

void require_settings(command what, const configuration& in_force) {
  std::vector<std::string> missing;
  for (const id needed : needed_settings(what)) {
    // The region of the table serves S3 too: one complaint is enough.
    const bool same_again = needed == id::s3_region && !missing.empty() && !in_force[id::dynamodb_region].is_set() &&
                            what != command::snapshot;
    if (!in_force[needed].is_set() && !same_again) missing.push_back(ways_to_give(setting_of(needed)));
  }
  if (missing.empty()) return;
  throw usage_error(
      fmt::format("{} needs {}: not set on the command line, in a configuration file or in the environment",
                  name_of(what), fmt::join(missing, " and ")));
}

locations locate(const arguments& line, const configuration& in_force) {
  if (line.what == command::restore || !line.snapshot.empty()) {
    if (line.snapshot.empty()) throw usage_error("the name of the snapshot is empty");
    check_snapshot_name(line.snapshot);
  }
  if (line.what != command::snapshot) table_name_of(line.table);
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
