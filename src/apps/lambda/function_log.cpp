#include "apps/lambda/function_log.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <utility>

#include "apps/configuration/text_forms.hpp"

namespace dynabackup::bootstrap {
namespace {

using apps::json_quoted;

constexpr std::array<std::string_view, 6> level_names{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
constexpr std::string_view warning_mark = "warning: ";

/// RFC 3339, always with milliseconds.
std::string time_text(wall_time when) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(when);
  const std::time_t since_epoch = seconds.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&since_epoch, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (when - seconds).count());
}

}  // namespace

std::optional<log_level> level_named(std::string_view name) {
  std::string upper(name);
  std::ranges::transform(upper, upper.begin(),
                         [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  const auto found = std::ranges::find(level_names, upper);
  if (found == level_names.end()) return std::nullopt;
  return static_cast<log_level>(found - level_names.begin());
}

wall_time wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::string log_line(bool json, wall_time when, log_level level, std::string_view request_id,
                     std::string_view message) {
  const std::string_view name = level_names[static_cast<std::size_t>(level)];
  if (json) {
    const std::string request = request_id.empty() ? "" : ",\"requestId\":" + json_quoted(request_id);
    return fmt::format("{{\"timestamp\":\"{}\",\"level\":\"{}\",\"message\":{}{}}}\n", time_text(when), name,
                       json_quoted(message), request);
  }
  const std::string request = request_id.empty() ? "" : fmt::format("RequestId: {} ", apps::printable(request_id));
  return fmt::format("{} {} {}{}\n", time_text(when), name, request, apps::printable(message));
}

void function_log::write(log_level level, std::string_view message) {
  if (level < least_) return;
  const std::string line = log_line(json_, wall_now(), level, request_id_, message);
  std::fwrite(line.data(), 1, line.size(), to_);
  std::fflush(to_);
}

void function_log::notices(progress& seen) {
  for (const std::string& notice : std::exchange(seen.notices, {})) {
    const bool warning = notice.starts_with(warning_mark);
    write(warning ? log_level::warn : log_level::info,
          std::string_view(notice).substr(warning ? warning_mark.size() : 0));
  }
}

std::string metrics_line(wall_time when, const batch_metrics& batch) {
  const recorded& done = batch.changes;
  const bool table = !batch.table.empty();
  std::string line = fmt::format(R"({{"_aws":{{"Timestamp":{},"CloudWatchMetrics":[{{"Namespace":"dynabackup",)"
                                 R"("Dimensions":[["FunctionName"]{}],"Metrics":[)",
                                 when.time_since_epoch().count(), table ? R"(,["FunctionName","TableName"])" : "");
  constexpr std::array<std::string_view, 7> counts{"Records",   "Puts",        "Deletes", "Repeats",
                                                   "Coalesced", "DeadLetters", "Retries"};
  for (const std::string_view name : counts) line += fmt::format(R"({{"Name":"{}","Unit":"Count"}},)", name);
  // Nothing recorded has no lag; 0 would pull the mean down and end an alarm.
  const bool lag = done.puts + done.deletes > 0;
  if (lag) line += R"({"Name":"Lag","Unit":"Milliseconds"},)";
  line.pop_back();
  line += "]}]}";
  line += fmt::format(",\"FunctionName\":{}", json_quoted(batch.function_name));
  if (table) line += fmt::format(",\"TableName\":{}", json_quoted(batch.table));
  line += fmt::format(
      R"(,"requestId":{},"Records":{},"Puts":{},"Deletes":{},"Repeats":{},"Coalesced":{},"DeadLetters":{},"Retries":{})",
      json_quoted(batch.request_id), done.records, done.puts, done.deletes, done.repeats, done.coalesced,
      done.dead_letters, batch.retries);
  if (lag) line += fmt::format(",\"Lag\":{}", done.lag.count());
  return line + "}\n";
}

}  // namespace dynabackup::bootstrap
