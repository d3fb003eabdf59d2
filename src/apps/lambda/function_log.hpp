// The function's log and metrics, one line an event: as text or as the JSON that Lambda filters by level, and metrics
// in CloudWatch's embedded metric format. Never item content, never a secret.
#pragma once
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/report.hpp"

namespace dynabackup::bootstrap {

enum class log_level { trace, debug, info, warn, error, fatal };

/// "INFO" and its like, in any case; nullopt for anything else.
std::optional<log_level> level_named(std::string_view name);

using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;
wall_time wall_now();

/// One line with its end. `request_id` may be empty.
std::string log_line(bool json, wall_time when, log_level level, std::string_view request_id, std::string_view message);

class function_log {
 public:
  function_log(bool json, log_level least, std::FILE* to) : json_(json), least_(least), to_(to) {}

  /// The lines from here on are about this request; empty: about none.
  void about(std::string request_id) { request_id_ = std::move(request_id); }
  void write(log_level level, std::string_view message);
  /// Takes what an operation has to say out of `seen`.
  void notices(progress& seen);

 private:
  bool json_;
  log_level least_;
  std::FILE* to_;
  std::string request_id_;
};

struct batch_metrics {
  std::string function_name;
  std::string table;  ///< empty: unknown
  std::string request_id;
  recorded changes;
  std::uint64_t retries = 0;
};

/// One line with its end.
std::string metrics_line(wall_time when, const batch_metrics& batch);

}  // namespace dynabackup::bootstrap
