#include "apps/lambda/time_limits.hpp"

#include <doctest/doctest.h>

using namespace std::chrono_literals;
using namespace dynabackup;
using namespace dynabackup::bootstrap;
using std::chrono::milliseconds;

namespace {

struct spans {
  milliseconds stop, cancel, end;
};

spans within(milliseconds left, std::optional<std::chrono::seconds> budget = std::nullopt) {
  const both_clocks now{wall_time{1'000'000s}, std::chrono::steady_clock::time_point{500s}};
  const time_limit limit = limit_until(now.wall + left, now, budget);
  const auto from_now = [&](time_limit::time_point t) { return std::chrono::floor<milliseconds>(t - now.steady); };
  return {from_now(limit.stop), from_now(limit.cancel), from_now(limit.end)};
}

}  // namespace

TEST_CASE("everything ends before the deadline, in order, however short the time") {
  for (const milliseconds left : {0ms, 1ms, 10ms, 100ms, 1000ms, 3000ms, 29'000ms, 60'000ms, 900'000ms}) {
    CAPTURE(left.count());
    const spans s = within(left);
    CHECK(s.stop >= 0ms);
    CHECK(s.stop <= s.cancel);
    CHECK(s.cancel <= s.end);
    CHECK(s.end <= left);
    if (left >= 10ms) CHECK(s.end < left);
    CHECK(s.stop >= left * 6 / 10);
  }
}

TEST_CASE("a deadline in the past leaves no time") {
  CHECK(within(-5000ms).end == 0ms);
  CHECK(within(-5000ms).stop == 0ms);
}

TEST_CASE("whoever waits for an answer gets it in the time they wait") {
  const spans behind_a_gateway = within(900'000ms, 25s);
  CHECK(behind_a_gateway.stop == 25s);
  CHECK(behind_a_gateway.cancel > 26s);
  // The gateway gives up after 29 s, and the answer has to be sent.
  CHECK(behind_a_gateway.end > behind_a_gateway.cancel + 1s);
  CHECK(behind_a_gateway.end < 28'500ms);
  // The function has its own deadline, which may be nearer.
  CHECK(within(10'000ms, 25s).stop < 10s);
}
