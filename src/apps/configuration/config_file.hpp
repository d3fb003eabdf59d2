// The configuration file: the part of HOCON (as Typesafe Config reads it) that people use. Objects, dotted keys, `=`
// `:`
// `{`, # and // comments, quoted and bare values, ${?VARIABLE}; what is beyond that is refused by name.
// Pure: text in, entries out; which keys exist is configuration.hpp's business.
#pragma once
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::apps {

/// Like getenv; unset or empty = nullopt.
using environment = std::function<std::optional<std::string>(const std::string&)>;

/// 1-based; a column counts characters, not bytes.
struct file_position {
  int line = 1;
  int column = 1;
  bool operator==(const file_position&) const = default;
};

struct config_entry {
  std::string key;                   ///< "s3.incremental.bucket"
  std::optional<std::string> value;  ///< nullopt for a block, and for ${?NAME} where NAME is not set
  bool block = false;                ///< `key {`
  file_position key_at;
  file_position value_at;
};

inline constexpr std::size_t max_config_bytes = std::size_t{1} << 20;

/// Entries in file order, blocks before their members. usage_error "FILE:LINE:COLUMN: key: what".
std::vector<config_entry> parse_config(std::string_view file_name, std::string_view text, const environment& variables);

/// The whole file, at most `max_config_bytes`; usage_error when it cannot be read or is larger.
std::string read_config(const std::string& path);

/// "FILE:LINE:COLUMN"
std::string place_text(std::string_view file_name, file_position at);

}  // namespace dynabackup::apps
