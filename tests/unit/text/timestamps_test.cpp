#include "text/timestamps.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace dynabackup;
using namespace std::chrono_literals;

namespace {

text::millis at(std::int64_t milliseconds) { return text::millis{std::chrono::milliseconds{milliseconds}}; }

}  // namespace

TEST_CASE("one moment in every spelling") {
  const text::millis t = at(1795347903000);
  CHECK(text::amz_date(t) == "20261122T114503Z");
  CHECK(text::rfc3339(t) == "2026-11-22T11:45:03Z");
  CHECK(text::snapshot_name(t) == "2026-11-22T11-45-03Z");
  CHECK(text::rfc3339(t + 7ms) == "2026-11-22T11:45:03.007Z");
  CHECK(text::amz_date(t + 999ms) == "20261122T114503Z");
  CHECK(text::snapshot_name(t + 999ms) == "2026-11-22T11-45-03Z");
}

TEST_CASE("moments before 1970 and on leap days") {
  CHECK(text::rfc3339(at(0)) == "1970-01-01T00:00:00Z");
  CHECK(text::rfc3339(at(-1)) == "1969-12-31T23:59:59.999Z");
  CHECK(text::rfc3339(at(951'782'400'000)) == "2000-02-29T00:00:00Z");
  CHECK(text::amz_date(at(1'440'938'160'000)) == "20150830T123600Z");
}

TEST_CASE("RFC 3339 is read with fraction and offset") {
  const std::vector<std::pair<std::string, text::millis>> rows = {
      {"2026-11-22T11:45:03Z", at(1795347903000)},
      {"2026-11-22t11:45:03z", at(1795347903000)},
      {"2026-11-22T11:45:03.5Z", at(1795347903500)},
      {"2026-11-22T11:45:03.007Z", at(1795347903007)},
      {"2026-11-22T11:45:03.123456789012345678901234567890Z", at(1795347903123)},
      {"2026-11-22T12:45:03+01:00", at(1795347903000)},
      {"2026-11-22T06:15:03-05:30", at(1795347903000)},
      {"2026-11-23T11:44:03.250+23:59", at(1795347903250)},
      {"2026-11-22T11:45:03-00:00", at(1795347903000)},
      {"2016-12-31T23:59:60Z", at(1483228800000)},
      {"2000-02-29T00:00:00Z", at(951782400000)},
      {"1969-12-31T23:59:59.999Z", at(-1)},
      {"0000-01-01T00:00:00Z", at(-62167219200000)},
      {"9999-12-31T23:59:59.999Z", at(253402300799999)},
  };
  for (const auto& [written, moment] : rows) {
    CAPTURE(written);
    CHECK(text::parse_rfc3339(written) == moment);
  }
}

TEST_CASE("what is not RFC 3339 is refused") {
  for (const std::string row : {"",
                                "2026",
                                "2026-11-22",
                                "2026-11-22T11:45:03",
                                "2026-11-22 11:45:03Z",
                                "2026-11-22T11:45Z",
                                "2026-13-01T00:00:00Z",
                                "2026-00-01T00:00:00Z",
                                "2026-02-29T00:00:00Z",
                                "2026-11-31T00:00:00Z",
                                "2026-11-00T00:00:00Z",
                                "2026-11-22T24:00:00Z",
                                "2026-11-22T11:60:00Z",
                                "2026-11-22T11:45:61Z",
                                "2026-11-22T11:45:03.Z",
                                "2026-11-22T11:45:03,5Z",
                                "2026-11-22T11:45:03+0100",
                                "2026-11-22T11:45:03+01",
                                "2026-11-22T11:45:03+24:00",
                                "2026-11-22T11:45:03+01:60",
                                "2026-11-22T11:45:03ZZ",
                                "2026-11-22T11:45:03Z ",
                                " 2026-11-22T11:45:03Z",
                                "+2026-11-22T11:45:03Z",
                                "-026-11-22T11:45:03Z",
                                "20261-1-22T11:45:03Z",
                                "2026-11-22T11:45:03UTC",
                                "2026-1a-22T11:45:03Z"}) {
    CAPTURE(row);
    CHECK_FALSE(text::parse_rfc3339(row).has_value());
  }
}

TEST_CASE("what rfc3339 writes, parse_rfc3339 reads") {
  for (std::int64_t t = -62'167'219'200'000; t < 253'402'300'800'000; t += 98'765'432'123)
    CHECK(text::parse_rfc3339(text::rfc3339(at(t))) == at(t));
}

TEST_CASE("HTTP dates are read in their one preferred form") {
  CHECK(text::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == at(784'111'777'000));
  CHECK(text::parse_http_date("Sun, 22 Nov 2026 11:45:03 GMT") == at(1795347903000));
  CHECK(text::parse_http_date("Thu, 29 Feb 2024 00:00:00 GMT") == at(1'709'164'800'000));
  for (const std::string row :
       {"", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 06 nov 1994 08:49:37 GMT", "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 Nov 1994 08:49:37 +0000"}) {
    CAPTURE(row);
    CHECK_FALSE(text::parse_http_date(row).has_value());
  }
}
