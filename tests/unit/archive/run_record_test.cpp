#include "archive/run_record.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using archive::run_record;

namespace {

constexpr std::string_view open_run = R"({
  "format": 1,
  "id": "2026-11-22T11-45-03Z-4f2a",
  "table_arn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
  "started": "2026-11-22T11:40:03Z",
  "ended": "",
  "finished": false,
  "swept": false,
  "stream_label": "",
  "changes_recorded": false,
  "conditional_writes": true,
  "items": 0,
  "written": 0,
  "present": 0,
  "differing": 0
}
)";

run_record closed_run() {
  run_record r;
  r.id = "2026-11-22T11-45-03Z-4f2a";
  r.table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders";
  r.started = "2026-11-22T11:40:03.250Z";
  r.ended = "2026-11-22T12:00:00Z";
  r.finished = true;
  r.swept = true;
  r.stream_label = "2026-01-01T00:00:00.000";
  r.changes_recorded = true;
  r.conditional_writes = true;
  r.items = UINT64_MAX;
  r.written = 3;
  r.present = 2;
  r.differing = 1;
  return r;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a run just opened has one stable form") {
  run_record r;
  r.id = "2026-11-22T11-45-03Z-4f2a";
  r.table_arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders";
  r.started = "2026-11-22T11:40:03Z";
  r.conditional_writes = true;
  CHECK(archive::write_run_record(r) == open_run);
  CHECK(archive::write_run_record(archive::read_run_record(open_run)) == open_run);
}

TEST_CASE("a closed run is read as it was written") {
  const auto r = archive::read_run_record(archive::write_run_record(closed_run()));
  CHECK(r.id == closed_run().id);
  CHECK(r.table_arn == closed_run().table_arn);
  CHECK(r.started == "2026-11-22T11:40:03.250Z");
  CHECK(r.ended == "2026-11-22T12:00:00Z");
  CHECK(r.finished);
  CHECK(r.swept);
  CHECK(r.stream_label == "2026-01-01T00:00:00.000");
  CHECK(r.changes_recorded);
  CHECK(r.conditional_writes);
  CHECK(r.items == UINT64_MAX);
  CHECK(r.written == 3);
  CHECK(r.present == 2);
  CHECK(r.differing == 1);
}

TEST_CASE("every member of a run record is needed") {
  for (const auto* member : {"format", "id", "table_arn", "started", "ended", "finished", "swept", "stream_label",
                             "changes_recorded", "conditional_writes", "items", "written", "present", "differing"}) {
    CAPTURE(std::string(member));
    const auto quoted = '"' + std::string(member) + "\":";
    CHECK_THROWS_WITH_AS(archive::read_run_record(replaced(std::string(open_run), quoted, "\"-\":")),
                         ("run record: member " + std::string(member) + " is missing").c_str(), format_error);
    const auto at = open_run.find(quoted) + quoted.size();
    auto retyped = std::string(open_run);
    retyped.replace(at, retyped.find_first_of(",\n", at) - at, "[]");
    CHECK_THROWS_AS(archive::read_run_record(retyped), format_error);
  }
}

TEST_CASE("a run record that says nothing sure is refused") {
  const std::string text(open_run);
  const std::string bad[] = {
      replaced(text, "\"2026-11-22T11:40:03Z\"", "\"\""),
      replaced(text, "\"2026-11-22T11:40:03Z\"", "\"soon\""),
      replaced(text, "\"ended\": \"\"", "\"ended\": \"later\""),
      replaced(text, "\"2026-11-22T11-45-03Z-4f2a\"", "\"\""),
      replaced(text, "\"items\": 0", "\"items\": -1"),
      replaced(text, "\"items\": 0", "\"items\": 18446744073709551616"),
      replaced(text, "\"items\": 0", "\"items\": 0.5"),
      replaced(text, "\"format\": 1", "\"format\": 7"),
      text + "x",
      text.substr(0, text.size() / 2),
      std::string(70'000, ' ') + text,
  };
  for (const auto& body : bad) {
    CAPTURE(body.substr(0, 600));
    CHECK_THROWS_AS(archive::read_run_record(body), format_error);
  }
}
