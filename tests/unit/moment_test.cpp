#include "dynabackup/moment.hpp"

#include <doctest/doctest.h>
#include <string>

using namespace dynabackup;
using namespace std::chrono_literals;

TEST_CASE("a moment is a time with its zone, in whole seconds") {
  const std::chrono::sys_seconds t{std::chrono::seconds{1'795'347'903}};
  for (const char* spelled : {"2026-11-22T11:45:03Z", "2026-11-22t11:45:03z", "2026-11-22T11:45:03.999Z",
                              "2026-11-22T12:45:03+01:00", "2026-11-21T23:45:03.5-12:00"}) {
    const auto read = parse_moment(spelled);
    REQUIRE(read);
    CHECK(read->time == t);
  }
}

TEST_CASE("or a span before now") {
  CHECK(parse_moment("-90s")->ago == 90s);
  CHECK(parse_moment("-30m")->ago == 30min);
  CHECK(parse_moment("-2h")->ago == 2h);
  CHECK(parse_moment("-7d")->ago == 7 * 24h);
  CHECK(parse_moment("-2w")->ago == 14 * 24h);
  CHECK(parse_moment("-1d12h30m")->ago == 36h + 30min);
  CHECK(parse_moment("-0s")->ago == 0s);
  CHECK_FALSE(parse_moment("-2h")->time);
  CHECK(parse_moment("-365000d")->ago == 365'000 * 24h);
}

TEST_CASE("and nothing else") {
  for (const char* spelled : {"",
                              "-",
                              "-h",
                              "-2",
                              "2h",
                              "+2h",
                              "--2h",
                              "-2 h",
                              "-1.5h",
                              "-2H",
                              "-365001d",
                              "-99999999999d",
                              "-999999999999s",
                              "-99999999999999999999h",
                              "-2h-30m",
                              "-30m2h",
                              "-2h2h",
                              "-2h30",
                              "now",
                              "yesterday",
                              "2026-11-22",
                              "2026-11-22T11:45:03",
                              "2026-11-22T11:45Z",
                              "2026-11-22 11:45:03Z",
                              "2026-02-30T00:00:00Z",
                              "2026-11-22T24:00:00Z",
                              "2026-11-22T11:45:03Z ",
                              "1795347903",
                              "-2\xC2\xB5"})
    CHECK_MESSAGE(!parse_moment(spelled), spelled);
}
