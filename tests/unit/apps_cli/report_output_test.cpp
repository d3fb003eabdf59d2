#include "apps/cli/report_output.hpp"

#include <doctest/doctest.h>
#include <set>
#include <simdjson.h>
#include <stdexcept>
#include <string>

#include "dynabackup/error.hpp"
#include "unit/apps_configuration/surroundings.hpp"

namespace dynabackup::cli {
namespace {

run_result finished_run() {
  run_result result;
  result.command = "restore";
  result.exit_code = exit_incomplete;
  report& done = result.done;
  done.operation = "restore";
  done.source = "s3://b/s\"nap";
  done.destination = "users";
  done.items_read = 1'234'567;
  done.items_written = 1'234'565;
  done.items_refused = 2;
  done.bytes_read = 5'000'000;
  done.bytes_written = 6'000'000;
  done.requests = 50'000;
  done.retries = 7;
  done.peak_in_flight = 32;
  done.memory_bound = true;
  done.seconds = 61.5;
  done.not_covered = "the backfill was never swept";
  done.warnings = {"one \\ two\n"};
  done.add({"refused", "snap\x01shot", 17, "item too large"});
  done.add({"skipped", "name\xff", 0, ""});
  result.items_settled = 1'234'567;
  result.peak_rss_bytes = 41'943'040;
  result.cpu_seconds = 1.25;
  return result;
}

run_result failed_run() {
  run_result result;
  result.command = "backfill";
  result.exit_code = exit_failed;
  result.failed = describe(std::runtime_error("a \"message\""));
  return result;
}

run_result config_run() {
  run_result result;
  result.command = "config";
  result.settings = setting_lines(resolve(sources_of({.options = {{"s3.incremental.prefix", ""}}})));
  return result;
}

/// Parsed by somebody else's parser.
class json {
 public:
  explicit json(const run_result& result) : text_(result_json(result)), root_(parser_.parse(text_)) {}
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] simdjson::dom::element root() const { return root_; }
  [[nodiscard]] std::string string(const char* path) const {
    return std::string(root_.at_pointer(path).get_string().value());
  }
  [[nodiscard]] std::uint64_t number(const char* path) const { return root_.at_pointer(path).get_uint64().value(); }
  [[nodiscard]] double real(const char* path) const { return root_.at_pointer(path).get_double().value(); }
  [[nodiscard]] bool null(const char* path) const { return root_.at_pointer(path).value().is_null(); }
  [[nodiscard]] std::set<std::string> members() const {
    std::set<std::string> names;
    const simdjson::dom::object object = root_.get_object().value();
    for (const auto& member : object) names.emplace(member.key);
    return names;
  }

 private:
  simdjson::dom::parser parser_;
  std::string text_;
  simdjson::dom::element root_;
};

TEST_CASE("a finished run as JSON") {
  const json out(finished_run());
  CHECK(out.text().ends_with("}\n"));
  CHECK(out.string("/command") == "restore");
  CHECK(out.string("/version") == DYNABACKUP_VERSION);
  CHECK(out.number("/exit_code") == 3);
  CHECK(out.string("/source") == "s3://b/s\"nap");
  CHECK(out.number("/items_settled") == 1'234'567);
  CHECK(out.number("/items_written") == 1'234'565);
  CHECK(out.number("/items_refused") == 2);
  CHECK(out.number("/bytes_written") == 6'000'000);
  CHECK(out.number("/retries") == 7);
  CHECK(out.root().at_pointer("/memory_bound").get_bool().value());
  CHECK(out.real("/seconds") == doctest::Approx(61.5));
  CHECK(out.string("/not_covered") == "the backfill was never swept");
  CHECK(out.string("/warnings/0") == "one \\ two\n");
  CHECK(out.string("/findings/0/kind") == "refused");
  CHECK(out.string("/findings/0/object") == "snap\x01shot");
  CHECK(out.number("/findings/0/line") == 17);
  CHECK(out.string("/findings/1/object") == "name\uFFFD");
  CHECK(out.null("/findings/1/line"));
  CHECK(out.null("/error"));
  CHECK(out.number("/peak_rss_bytes") == 41'943'040);
  CHECK(out.real("/cpu_seconds") == doctest::Approx(1.25));
}

TEST_CASE("the object has the same members on every command and on failure") {
  const auto members = json(finished_run()).members();
  CHECK(members.size() == 38);
  CHECK(json(failed_run()).members() == members);
  CHECK(json(config_run()).members() == members);
  CHECK(json(run_result{}).members() == members);
}

TEST_CASE("what became of a stream's changes, as JSON and for people") {
  run_result run = finished_run();
  run.done.changes.emplace();
  run.done.changes->records = 1'234;
  run.done.changes->puts = 1'000;
  run.done.changes->deletes = 200;
  run.done.changes->repeats = 34;
  run.done.changes->lag = std::chrono::milliseconds{1'500};
  run.done.interrupted = true;
  const json out(run);
  CHECK(out.number("/changes/records") == 1'234);
  CHECK(out.number("/changes/puts") == 1'000);
  CHECK(out.number("/changes/deletes") == 200);
  CHECK(out.number("/changes/repeats") == 34);
  CHECK(out.number("/changes/dead_letters") == 0);
  CHECK(out.number("/changes/lag_ms") == 1'500);
  CHECK(result_text(run).find("1,234 changes: 1,000 puts, 200 deletes, 34 recorded before") != std::string::npos);
  CHECK(json(finished_run()).null("/changes"));
}

TEST_CASE("a past moment, as JSON and for people") {
  run_result run = finished_run();
  CHECK(json(run).null("/state_at"));
  run.done.past = past_state{.at = "2026-11-22T11:45:03Z", .last_recorded = "", .changes = 0, .lag = {}, .late = 0};
  CHECK(json(run).string("/state_at/at") == "2026-11-22T11:45:03Z");
  CHECK(json(run).null("/state_at/lag_ms"));
  CHECK(json(run).null("/state_at/last_recorded"));
  CHECK(result_text(run).find("as it was at 2026-11-22T11:45:03Z; no recorded change") != std::string::npos);
  run.done.past->last_recorded = "2026-11-22T11:40:00Z";
  run.done.past->lag = std::chrono::milliseconds{1'250};
  CHECK(json(run).number("/state_at/lag_ms") == 1'250);
  CHECK(result_text(run).find("1.2 s behind at its last change, 2026-11-22T11:40:00Z") != std::string::npos);
  run.done.past->changes = 1'234;
  run.done.past->late = 2;
  CHECK(json(run).number("/state_at/changes") == 1'234);
  CHECK(json(run).number("/state_at/late") == 2);
  CHECK(result_text(run).find("1.2 s behind (1,234 changes around then)") != std::string::npos);
  run.done.planned.emplace();
  CHECK(result_text(run).find("as it was at 2026-11-22T11:45:03Z") != std::string::npos);
}

TEST_CASE("a failed run as JSON") {
  const json out(failed_run());
  CHECK(out.string("/error/kind") == "failed");
  CHECK(out.string("/error/message") == "a \"message\"");
  CHECK(out.null("/error/code"));
  CHECK(out.null("/error/request_id"));
  CHECK(out.null("/error/operation"));
  CHECK(out.number("/exit_code") == 1);
}

TEST_CASE("the settings as JSON") {
  const json out(config_run());
  CHECK(out.string("/settings/1/name") == "s3.incremental.prefix");
  CHECK(out.string("/settings/1/value") == "");
  CHECK(out.string("/settings/1/origin") == "--incremental-prefix");
  CHECK(out.null("/settings/0/value"));
  CHECK(out.null("/settings/0/origin"));
}

TEST_CASE("kinds of failure and their exit codes") {
  service_failure said;
  said.operation = "PutObject";
  said.code = "AccessDenied";
  said.request_id = "R1";
  const failure service = describe(service_error(said));
  CHECK(service.kind == "service");
  CHECK(service.code == "AccessDenied");
  CHECK(service.request_id == "R1");
  CHECK(service.operation == "PutObject");
  CHECK(exit_code_of(service) == 1);
  const failure transport = describe(transport_error("https://h:443", transport_error::stage::before_send, "refused"));
  CHECK(transport.kind == "transport");
  CHECK(transport.message == "https://h:443: refused");
  CHECK(exit_code_of(transport) == 1);
  CHECK(describe(format_error("x")).kind == "format");
  CHECK(exit_code_of(describe(format_error("x"))) == 1);
  CHECK(describe(usage_error("x")).kind == "usage");
  CHECK(exit_code_of(describe(usage_error("x"))) == 2);
  CHECK(describe(interrupted()).kind == "interrupted");
  CHECK(exit_code_of(describe(interrupted())) == 130);
  CHECK(describe(std::runtime_error("x")).kind == "failed");
  CHECK(exit_code_of(describe(std::runtime_error("x"))) == 1);
}

TEST_CASE("a finished run as text") {
  CHECK(result_text(finished_run()) ==
        "restore: s3://b/s\"nap -> users\n"
        "  1,234,567 items read, 1,234,565 items written, 2 refused, 50,000 requests, 7 retries\n"
        "  5.0 MB read, 6.0 MB written\n"
        "  1:01 (61.500 s), 20,074 items/s, at most 32 requests in flight\n"
        "  peak memory 41.9 MB, CPU 1.25 s\n"
        "  memory, not parallelism, set the pace at times: a larger --memory may be faster\n"
        "  refused  snap?shot:17  item too large\n"
        "  skipped  name?\n"
        "  not covered: the backfill was never swept\n");
}

TEST_CASE("more findings than are kept are admitted") {
  run_result result;
  for (std::size_t i = 0; i < report::max_findings + 5; ++i) result.done.add({"differs", "x", 0, ""});
  CHECK(result_text(result).find("(only the first 1000 are named)") != std::string::npos);
}

TEST_CASE("the settings as text stand in columns") {
  CHECK(settings_text({{"a", "value", "default"}, {"longer", "", "--longer"}, {"c", std::nullopt, ""}}) ==
        "a       value  default\n"
        "longer  \"\"     --longer\n"
        "c       -      not set\n");
}

}  // namespace
}  // namespace dynabackup::cli
