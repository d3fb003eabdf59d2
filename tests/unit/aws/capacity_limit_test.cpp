#include "aws/capacity_limit.hpp"

#include <doctest/doctest.h>

using dynabackup::aws::capacity_limit;
using namespace std::chrono_literals;

TEST_CASE("a minute's consumption stays at the ceiling, whatever the requests cost") {
  for (const double units : {0.5, 3.0, 25.0, 100.0}) {
    CAPTURE(units);
    capacity_limit limit(100);
    capacity_limit::time now{50s};
    const auto end = now + 60s;
    double consumed = 0;
    for (;;) {
      now += limit.take(now, units);
      if (now >= end) break;
      consumed += units;
    }
    CHECK(consumed >= 0.95 * 6000);
    CHECK(consumed <= 1.05 * 6000);
  }
}

TEST_CASE("many workers share one ceiling: who comes later waits longer") {
  capacity_limit limit(100);
  const capacity_limit::time now{50s};
  std::chrono::milliseconds last{0};
  for (int worker = 0; worker < 20; ++worker) {
    const auto wait = limit.take(now, 10);
    CHECK(wait == last + 100ms);
    last = wait;
  }
}

TEST_CASE("what a request really consumed counts, more or less than was thought") {
  capacity_limit limit(100);
  capacity_limit::time now{50s};
  limit.take(now, 50);
  limit.correct(100);
  CHECK(limit.take(now, 50) == 2s);
  limit.correct(-200);
  CHECK(limit.take(now, 0) == 0ms);
}

TEST_CASE("an idle time may be caught up with for one second, no more") {
  capacity_limit limit(100);
  capacity_limit::time now{50s};
  limit.take(now, 1);
  now += 3600s;
  CHECK(limit.take(now, 100) == 0ms);
  CHECK(limit.take(now, 100) == 1s);
}
