// Where in S3 a table lies: names and prefixes checked, {table} filled in, and locations kept out of each other's way.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup::apps {

/// The plain name of a table given by name or ARN; usage_error when it is neither.
std::string table_name_of(std::string_view table);

/// `prefix` with every {table} replaced.
std::string expand_prefix(std::string_view prefix, std::string_view table_name);
bool names_table(std::string_view prefix);
s3_location location_of(const setting_value& bucket, const setting_value& prefix, std::string_view table_name);

/// usage_error where a snapshot would swallow earlier snapshots; a warning where they lie around the items.
std::optional<std::string> check_nesting(const s3_location& incremental, const s3_location& snapshot);

/// usage_error for what cannot be the name of a snapshot.
void check_snapshot_name(std::string_view name);

}  // namespace dynabackup::apps
