// A run's outcome as text, and as the one JSON object that is the same on every command.
#pragma once
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/report.hpp"

namespace dynabackup::cli {

/// Settings and texts are common to the front ends.
using namespace apps;

inline constexpr int exit_done = 0;
inline constexpr int exit_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_incomplete = 3;
inline constexpr int exit_interrupted = 130;

struct failure {
  std::string kind;  ///< "usage", "transport", "service", "format", "interrupted", "failed"
  std::string message;
  std::string code;  ///< these three of a service's answer, else empty
  std::string request_id;
  std::string operation;
};

/// The facts in an exception of the library, or of any other.
failure describe(const std::exception& what);
int exit_code_of(const failure& what);

/// One line of `config`.
struct setting_line {
  std::string name;
  std::optional<std::string> value;
  std::string origin;
};
std::vector<setting_line> setting_lines(const configuration& in_force);

struct run_result {
  std::string command;
  int exit_code = exit_done;
  report done;                      ///< of a failed run: what the counters had seen
  std::uint64_t items_settled = 0;  ///< progress at the end, of a failed run too
  std::optional<failure> failed;
  std::vector<setting_line> settings;  ///< of `config` only
  std::uint64_t peak_rss_bytes = 0;
  double cpu_seconds = 0;
};

/// The members of the object that every run has in common, without its braces.
std::string result_members(const run_result& result);
/// One object and a newline; of what only history and show tell, nulls.
std::string result_json(const run_result& result);
/// A finished run for people: what, how much, how fast, what is amiss. Warnings are not in it.
std::string result_text(const run_result& result);
/// What is amiss alone: findings and why it is not covered.
std::string remarks_text(const report& done);
/// Aligned columns: name, value, origin.
std::string settings_text(const std::vector<setting_line>& lines);

}  // namespace dynabackup::cli
