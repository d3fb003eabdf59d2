#include "report_output.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <fmt/format.h>
#include <string_view>

#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::cli {
namespace {

std::string json_or_null(std::string_view text) { return text.empty() ? "null" : json_quoted(text); }
std::string json_flag(bool value) { return value ? "true" : "false"; }

template <class List, class Form>
std::string json_list(const List& list, Form form) {
  std::string out = "[";
  for (const auto& entry : list) {
    if (out.size() > 1) out += ',';
    out += form(entry);
  }
  return out + "]";
}

std::string finding_json(const finding& found) {
  return fmt::format(R"({{"kind":{},"object":{},"line":{},"detail":{}}})", json_quoted(found.kind),
                     json_quoted(found.object), found.line == 0 ? "null" : std::to_string(found.line),
                     json_quoted(found.detail));
}

std::string setting_json(const setting_line& line) {
  return fmt::format(R"({{"name":{},"value":{},"origin":{}}})", json_quoted(line.name),
                     line.value ? json_quoted(*line.value) : "null", json_or_null(line.origin));
}

std::string failure_json(const std::optional<failure>& failed) {
  if (!failed) return "null";
  return fmt::format(R"({{"kind":{},"message":{},"code":{},"request_id":{},"operation":{}}})",
                     json_quoted(failed->kind), json_quoted(failed->message), json_or_null(failed->code),
                     json_or_null(failed->request_id), json_or_null(failed->operation));
}

struct counter {
  std::string_view name;
  std::string_view label;  ///< for people; empty = only in JSON
  std::uint64_t report::* value;
};
constexpr std::array<counter, 15> counters{{{"items_read", "items read", &report::items_read},
                                            {"items_written", "items written", &report::items_written},
                                            {"items_present", "already there", &report::items_present},
                                            {"items_differing", "differing", &report::items_differing},
                                            {"items_refused", "refused", &report::items_refused},
                                            {"objects_skipped", "objects skipped", &report::objects_skipped},
                                            {"items_resumed", "settled before", &report::items_resumed},
                                            {"sweep_judged", "looked at by the sweep", &report::sweep_judged},
                                            {"sweep_undone", "undone by it", &report::sweep_undone},
                                            {"bytes_read", "", &report::bytes_read},
                                            {"bytes_written", "", &report::bytes_written},
                                            {"requests", "requests", &report::requests},
                                            {"retries", "retries", &report::retries},
                                            {"throttles", "throttled", &report::throttles},
                                            {"peak_in_flight", "", &report::peak_in_flight}}};

std::string finding_text(const finding& found) {
  std::string text = "  " + printable(found.kind) + "  " + printable(found.object);
  if (found.line > 0) text += fmt::format(":{}", found.line);
  if (!found.detail.empty()) text += "  " + printable(found.detail);
  return text + "\n";
}

std::string plan_json(const std::optional<plan>& planned) {
  if (!planned) return "null";
  return fmt::format(
      R"({{"items":{},"bytes":{},"read_units":{:.0f},"write_units":{:.0f},"table_requests":{},"object_requests":{},"dollars":{:.4f}}})",
      planned->items, planned->bytes, planned->read_units, planned->write_units, planned->table_requests,
      planned->object_requests, planned->dollars);
}

std::string changes_json(const std::optional<recorded>& changes) {
  if (!changes) return "null";
  return fmt::format(
      R"({{"records":{},"puts":{},"deletes":{},"repeats":{},"coalesced":{},"dead_letters":{},"lag_ms":{}}})",
      changes->records, changes->puts, changes->deletes, changes->repeats, changes->coalesced, changes->dead_letters,
      changes->lag.count());
}

std::string changes_text(const recorded& changes) {
  std::string text = fmt::format("  {} changes: {} puts, {} deletes", grouped(changes.records), grouped(changes.puts),
                                 grouped(changes.deletes));
  if (changes.repeats > 0) text += fmt::format(", {} recorded before", grouped(changes.repeats));
  if (changes.coalesced > 0) text += fmt::format(", {} left out for newer ones", grouped(changes.coalesced));
  if (changes.dead_letters > 0) text += fmt::format(", {} dead letters", grouped(changes.dead_letters));
  return text + "\n";
}

std::string past_json(const std::optional<past_state>& past) {
  if (!past) return "null";
  return fmt::format(R"({{"at":{},"last_recorded":{},"changes":{},"lag_ms":{},"late":{}}})", json_quoted(past->at),
                     json_or_null(past->last_recorded), past->changes,
                     past->lag ? std::to_string(past->lag->count()) : "null", past->late);
}

std::string past_text(const past_state& past) {
  std::string text = "  as it was at " + past.at;
  if (!past.lag) return text + "; no recorded change tells how far the recorder was behind\n";
  text += fmt::format("; the recorder was {:.1f} s behind", static_cast<double>(past.lag->count()) / 1000);
  return text + (past.changes > 0 ? fmt::format(" ({} changes around then)\n", grouped(past.changes))
                                  : " at its last change, " + past.last_recorded + "\n");
}

std::string plan_text(const run_result& result) {
  const plan& p = *result.done.planned;
  std::string text =
      fmt::format("{} (dry run): {} -> {}\n  would handle about {} items, {}\n  {} requests to DynamoDB, {} to S3\n",
                  result.done.operation, printable(result.done.source), printable(result.done.destination),
                  grouped(p.items), size_text(p.bytes), grouped(p.table_requests), grouped(p.object_requests));
  if (p.read_units > 0) text += fmt::format("  {} read units\n", grouped(static_cast<std::uint64_t>(p.read_units)));
  if (p.write_units > 0) text += fmt::format("  {} write units\n", grouped(static_cast<std::uint64_t>(p.write_units)));
  text += fmt::format("  about ${:.4f} at list price (us-east-1, on-demand); nothing was written\n", p.dollars);
  if (result.done.past) text += "  as it was at " + result.done.past->at + "\n";
  if (!result.done.not_covered.empty()) text += "  not covered: " + printable(result.done.not_covered) + "\n";
  return text;
}

std::string findings_text(const report& done) {
  std::string text;
  for (const finding& found : done.findings) text += finding_text(found);
  if (done.findings.size() == report::max_findings)
    text += fmt::format("  (only the first {} are named)\n", report::max_findings);
  return text;
}

std::string speed_text(const run_result& result) {
  const report& done = result.done;
  const double rate = done.seconds > 0 ? static_cast<double>(result.items_settled) / done.seconds : 0;
  const auto whole_seconds = std::chrono::seconds{static_cast<long>(done.seconds)};
  return fmt::format("  {} ({:.3f} s), {} items/s, at most {} requests in flight\n", duration_text(whole_seconds),
                     done.seconds, grouped(static_cast<std::uint64_t>(rate)), done.peak_in_flight);
}

}  // namespace

failure describe(const std::exception& what) {
  if (const auto* service = dynamic_cast<const service_error*>(&what)) {
    const service_failure& said = service->failure;
    return {"service", what.what(), said.code, said.request_id, said.operation};
  }
  const auto kind = dynamic_cast<const usage_error*>(&what) != nullptr       ? "usage"
                    : dynamic_cast<const transport_error*>(&what) != nullptr ? "transport"
                    : dynamic_cast<const format_error*>(&what) != nullptr    ? "format"
                    : dynamic_cast<const interrupted*>(&what) != nullptr     ? "interrupted"
                                                                             : "failed";
  return {kind, what.what(), "", "", ""};
}

int exit_code_of(const failure& what) {
  if (what.kind == "usage") return exit_usage;
  return what.kind == "interrupted" ? exit_interrupted : exit_failed;
}

std::vector<setting_line> setting_lines(const configuration& in_force) {
  std::vector<setting_line> lines;
  for (const setting& which : all_settings()) {
    const setting_value& value = in_force[which.id];
    lines.push_back({std::string(which.name), value.is_set() ? std::optional(value.text) : std::nullopt, value.origin});
  }
  return lines;
}

std::string result_members(const run_result& result) {
  const report& done = result.done;
  const auto quote = [](const std::string& text) { return json_quoted(text); };
  std::string out =
      fmt::format(R"("command":{},"version":{},"exit_code":{},"operation":{},"source":{},"destination":{})",
                  json_or_null(result.command), json_quoted(DYNABACKUP_VERSION), result.exit_code,
                  json_or_null(done.operation), json_or_null(done.source), json_or_null(done.destination));
  out += fmt::format(R"(,"items_settled":{})", result.items_settled);
  for (const counter& each : counters) out += fmt::format(",\"{}\":{}", each.name, done.*each.value);
  out += fmt::format(
      R"(,"memory_bound":{},"seconds":{:.3f},"not_covered":{},"warnings":{},"findings":{},"plan":{},"changes":{},"state_at":{},"interrupted":{})",
      json_flag(done.memory_bound), std::max(done.seconds, 0.0), json_or_null(done.not_covered),
      json_list(done.warnings, quote), json_list(done.findings, finding_json), plan_json(done.planned),
      changes_json(done.changes), past_json(done.past), json_flag(done.interrupted));
  out += fmt::format(R"(,"settings":{},"error":{},"peak_rss_bytes":{},"cpu_seconds":{:.3f})",
                     json_list(result.settings, setting_json), failure_json(result.failed), result.peak_rss_bytes,
                     std::max(result.cpu_seconds, 0.0));
  return out;
}

std::string result_json(const run_result& result) {
  return "{" + result_members(result) + ",\"key\":null,\"at\":null,\"versions\":null}\n";
}

std::string result_text(const run_result& result) {
  const report& done = result.done;
  if (done.planned) return plan_text(result);
  std::string text = fmt::format("{}: {} -> {}\n ", done.operation.empty() ? result.command : done.operation,
                                 printable(done.source), printable(done.destination));
  const char* separator = " ";
  for (const counter& each : counters) {
    const std::uint64_t value = done.*each.value;
    // What is always said, even when it is nothing; the rest only when it happened.
    const bool always = each.value == &report::items_read || each.value == &report::items_written;
    if (each.label.empty() || (value == 0 && !always)) continue;
    text += fmt::format("{}{} {}", separator, grouped(value), each.label);
    separator = ", ";
  }
  if (done.changes)
    text += "\n" + changes_text(*done.changes);
  else
    text += fmt::format("\n  {} read, {} written\n", size_text(done.bytes_read), size_text(done.bytes_written));
  if (done.past) text += past_text(*done.past);
  text += speed_text(result);
  text += fmt::format("  peak memory {}, CPU {:.2f} s\n", size_text(result.peak_rss_bytes), result.cpu_seconds);
  if (done.memory_bound) text += "  memory, not parallelism, set the pace at times: a larger --memory may be faster\n";
  return text + remarks_text(done);
}

std::string remarks_text(const report& done) {
  std::string text = findings_text(done);
  if (!done.not_covered.empty()) text += "  not covered: " + printable(done.not_covered) + "\n";
  return text;
}

std::string settings_text(const std::vector<setting_line>& lines) {
  constexpr std::size_t widest = 48;
  std::size_t name_width = 0, value_width = 0;
  const auto shown = [](const setting_line& line) {
    return !line.value ? std::string("-") : line.value->empty() ? std::string("\"\"") : printable(*line.value);
  };
  for (const setting_line& line : lines) {
    name_width = std::max(name_width, line.name.size());
    value_width = std::max(value_width, std::min(shown(line).size(), widest));
  }
  std::string text;
  for (const setting_line& line : lines)
    text += fmt::format("{:<{}}  {:<{}}  {}\n", line.name, name_width, shown(line), value_width,
                        line.value ? printable(line.origin) : "not set");
  return text;
}

}  // namespace dynabackup::cli
