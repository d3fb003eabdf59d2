#include "apps/lambda/function_log.hpp"

#include <array>
#include <cstdio>
#include <doctest/doctest.h>
#include <string>

using namespace dynabackup;
using namespace dynabackup::bootstrap;

namespace {

const wall_time noon{std::chrono::milliseconds{1'795'348'800'007}};

std::string logged(bool json, log_level least, log_level level) {
  std::FILE* file = std::tmpfile();
  function_log log(json, least, file);
  log.about("r-1");
  log.write(level, "said");
  std::rewind(file);
  std::array<char, 512> bytes{};
  const std::size_t n = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  return {bytes.data(), n};
}

}  // namespace

TEST_CASE("a line of JSON has what Lambda filters by") {
  CHECK(log_line(true, noon, log_level::warn, "r-1", "a \"b\"\nc") ==
        "{\"timestamp\":\"2026-11-22T12:00:00.007Z\",\"level\":\"WARN\",\"message\":\"a \\\"b\\\"\\nc\","
        "\"requestId\":\"r-1\"}\n");
  CHECK(log_line(true, noon, log_level::fatal, "", "x") ==
        "{\"timestamp\":\"2026-11-22T12:00:00.007Z\",\"level\":\"FATAL\",\"message\":\"x\"}\n");
}

TEST_CASE("a line of text stays one line, whatever is in it") {
  CHECK(log_line(false, noon, log_level::info, "r-1", "a\nb\x1b[0m\xff") ==
        "2026-11-22T12:00:00.007Z INFO RequestId: r-1 a?b?[0m?\n");
  CHECK(log_line(false, noon, log_level::error, "", "x") == "2026-11-22T12:00:00.007Z ERROR x\n");
}

TEST_CASE("what is below the level is not written") {
  CHECK(logged(true, log_level::warn, log_level::info).empty());
  CHECK(!logged(true, log_level::warn, log_level::warn).empty());
  CHECK(!logged(false, log_level::trace, log_level::debug).empty());
}

TEST_CASE("levels are named in any case") {
  CHECK(level_named("INFO") == log_level::info);
  CHECK(level_named("fatal") == log_level::fatal);
  CHECK(level_named("Trace") == log_level::trace);
  CHECK(!level_named(""));
  CHECK(!level_named("LOUD"));
}

TEST_CASE("metrics are one line of CloudWatch's embedded format") {
  recorded changes;
  changes.records = 9;
  changes.puts = 5;
  changes.deletes = 2;
  changes.repeats = 1;
  changes.coalesced = 1;
  changes.lag = std::chrono::milliseconds{1234};
  CHECK(
      metrics_line(noon, {"f", "t\"1", "r-1", changes, 3}) ==
      R"({"_aws":{"Timestamp":1795348800007,"CloudWatchMetrics":[{"Namespace":"dynabackup",)"
      R"("Dimensions":[["FunctionName"],["FunctionName","TableName"]],"Metrics":[)"
      R"({"Name":"Records","Unit":"Count"},{"Name":"Puts","Unit":"Count"},{"Name":"Deletes","Unit":"Count"},)"
      R"({"Name":"Repeats","Unit":"Count"},{"Name":"Coalesced","Unit":"Count"},{"Name":"DeadLetters","Unit":"Count"},)"
      R"({"Name":"Retries","Unit":"Count"},{"Name":"Lag","Unit":"Milliseconds"}]}]},)"
      R"("FunctionName":"f","TableName":"t\"1","requestId":"r-1","Records":9,"Puts":5,"Deletes":2,"Repeats":1,)"
      R"("Coalesced":1,"DeadLetters":0,"Retries":3,"Lag":1234})"
      "\n");
  CHECK(metrics_line(noon, {"f", "", "r", {}, 0}).find("TableName") == std::string::npos);
  // Where nothing was recorded there is no lag, and none of 0.
  CHECK(metrics_line(noon, {"f", "", "r", {}, 0}).find("Lag") == std::string::npos);
  CHECK(metrics_line(noon, {"f", "", "r", {}, 0}).ends_with("\"Retries\":0}\n"));
}
