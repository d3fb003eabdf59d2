// Which settings a command needs, and where in S3 it works: prefixes expanded, and kept out of each other's way.
#pragma once
#include <optional>
#include <string>

#include "apps/configuration/configuration.hpp"
#include "apps/configuration/prefixes.hpp"
#include "arguments.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup::cli {

/// usage_error naming every setting that `what` needs and has not, with all ways to give it.
void require_settings(const arguments& line, const configuration& in_force);

struct locations {
  s3_location incremental;
  s3_location snapshot;
  std::optional<std::string> warning;
};
/// usage_error for wrong names, a {table} nobody knows, or prefixes in each other's way.
locations locate(const arguments& line, const configuration& in_force);

}  // namespace dynabackup::cli
