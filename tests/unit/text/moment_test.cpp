#include "text/moment.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace dynabackup;
using namespace std::chrono_literals;

namespace {

const text::millis now{std::chrono::milliseconds{1795347903000}};  // 2026-11-22T11:45:03Z

std::string said(const char* written) {
  const auto parsed = text::parse_moment(written);
  return parsed ? text::rfc3339(parsed->by(now)) : "refused";
}

}  // namespace

TEST_CASE("a moment is a full time, whatever the clock says, or a span back from it") {
  CHECK(said("2026-11-01T00:00:00Z") == "2026-11-01T00:00:00Z");
  CHECK(said("2026-11-22T12:45:03.5+01:00") == "2026-11-22T11:45:03.500Z");
  CHECK(said("-0s") == "2026-11-22T11:45:03Z");
  CHECK(said("-90s") == "2026-11-22T11:43:33Z");
  CHECK(said("-5m") == "2026-11-22T11:40:03Z");
  CHECK(said("-2h") == "2026-11-22T09:45:03Z");
  CHECK(said("-1d") == "2026-11-21T11:45:03Z");
  CHECK(said("-2w") == "2026-11-08T11:45:03Z");
  CHECK(said("-1d12h") == "2026-11-20T23:45:03Z");
  CHECK(said("-1w1d1h1m1s") == "2026-11-14T10:44:02Z");
}

TEST_CASE("a span longer than time has lasted ends in 1970") {
  CHECK(said("-999999999w999999999d") == "1970-01-01T00:00:00Z");
  CHECK(said("1969-12-31T23:59:59Z") == "1970-01-01T00:00:00Z");
}

TEST_CASE("anything else is no moment") {
  for (const char* bad : {"",     "-",         "2h",         "+2h",        "-2",    "-h",   "-2H",          "-2 h",
                          "- 2h", "-2hh",      "-12h1d",     "-1h1h",      "-1.5h", "--2h", "-1000000000s", "-2h ",
                          "now",  "yesterday", "2026-11-22", "1795347903", "-2x"}) {
    CAPTURE(bad);
    CHECK(said(bad) == "refused");
  }
}
