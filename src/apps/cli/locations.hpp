// Which settings a command needs, and where in S3 it works: prefixes expanded, and kept out of each other's way.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "arguments.hpp"
#include "configuration.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup::cli {

/// The plain name of a table given by name or ARN; usage_error when it is neither.
std::string table_name_of(std::string_view table);

/// `prefix` with every {table} replaced.
std::string expand_prefix(std::string_view prefix, std::string_view table_name);
bool names_table(std::string_view prefix);

/// usage_error where a snapshot would swallow earlier snapshots; a warning where they lie around the items.
std::optional<std::string> check_nesting(const s3_location& incremental, const s3_location& snapshot);

/// usage_error naming every setting that `what` needs and has not, with all ways to give it.
void require_settings(command what, const configuration& in_force);

struct locations {
  s3_location incremental;
  s3_location snapshot;
  std::optional<std::string> warning;
};
/// usage_error for wrong names, a {table} nobody knows, or prefixes in each other's way.
locations locate(const arguments& line, const configuration& in_force);

}  // namespace dynabackup::cli
