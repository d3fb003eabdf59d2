// The command line: commands, their classic forms, options. The only unit that knows CLI11 is arguments.cpp.
#pragma once
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::cli {

/// Settings and texts are common to the front ends.
using namespace apps;

enum class command { backfill, snapshot, restore, follow, history, show, config };
std::string_view name_of(command what);

enum class output_format { text, json };

struct arguments {
  command what = command::config;
  bool classic = false;          ///< --backfill and its like, of the tool that users come from
  std::string table;             ///< backfill, restore, follow: name or ARN
  std::string snapshot;          ///< restore: its name; snapshot: the name wished, or empty
  std::string prefix_table;      ///< --table: stands for {table} in a prefix
  std::vector<std::string> key;  ///< history, show: DynamoDB JSON, or name=value for each key attribute
  bool unversioned = false;
  bool adopt = false;
  bool overwrite = false;
  std::optional<moment> at;  ///< snapshot, show: of the past
  bool accept_incomplete = false;
  bool sweep = false;
  bool resume = false;
  bool enable_stream = false;
  bool coalesce = false;
  bool dead_letters = false;
  bool dry_run = false;
  compression codec = compression::gzip;
  output_format output = output_format::text;
  bool quiet = false;
  std::optional<std::string> config_file;
  by_setting<std::optional<std::string>> options;
};

/// The line ends here: help or the version (for stdout), or a mistake and the usage (for stderr, exit code 2).
struct early_end {
  int exit_code = 0;
  std::string text;
  std::string mistake;  ///< one line; empty when help was asked for
  output_format output = output_format::text;
};

/// `line` without the program's name.
std::variant<arguments, early_end> parse_arguments(std::vector<std::string> line);

}  // namespace dynabackup::cli
