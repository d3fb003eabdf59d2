#include "apps/configuration/prefixes.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::apps {
namespace {

constexpr std::string_view table_mark = "{table}";
constexpr std::string_view bookkeeping = ".dynabackup/";

bool is_table_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
                  c == '-';
         });
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

void check_snapshot_name(std::string_view name) {
  if (name.size() > 400 || name.starts_with('/') || name.ends_with('/') || name.starts_with(bookkeeping) ||
      printable(name) != name)
    throw usage_error(fmt::format("{} cannot be the name of a snapshot", in_quotes(name)));
}

s3_location location_of(const setting_value& bucket, const setting_value& prefix, std::string_view table) {
  return s3_location::of(bucket.text, expand_prefix(prefix.text, table));
}

}  // namespace dynabackup::apps
