#include "aws/pace.hpp"

#include <doctest/doctest.h>
#include <vector>

using dynabackup::aws::pace;
using namespace std::chrono_literals;

namespace {

// A service that answers at once: asks the pace, waits as told, tells of the answer.
struct simulation {
  pace limiter;
  pace::time now{100s};

  void attempt(bool throttled = false) {
    now += limiter.take(now);
    limiter.answered(now, throttled);
  }
  // As many answers as fit at `interval` (or slower, when the pace says so).
  int run(std::chrono::milliseconds duration, std::chrono::milliseconds interval) {
    const auto end = now + duration;
    int answers = 0;
    for (; now < end; ++answers) {
      attempt();
      now += interval;
    }
    return answers;
  }
};

}  // namespace

TEST_CASE("nothing waits while nothing was throttled") {
  simulation s;
  CHECK(s.run(10s, 1ms) == 10'000);
  CHECK_FALSE(s.limiter.on());
  CHECK(s.limiter.rate() == 0);
  CHECK(s.limiter.take(s.now) == 0ms);
}

TEST_CASE("a lone throttle among many answers hardly slows anything") {
  simulation s;
  s.run(10s, 10ms);
  s.attempt(true);
  CHECK(s.limiter.on());
  CHECK(s.limiter.rate() > 90);
  CHECK(s.limiter.rate() < 100);
}

TEST_CASE("one throttle in a hundred answers leaves most of the rate") {
  simulation s;
  const auto end = s.now + 60s;
  int answers = 0;
  for (; s.now < end; ++answers) {
    s.attempt(answers % 100 == 99);
    s.now += 10ms;
  }
  CHECK(answers > 0.8 * 6000);
}

TEST_CASE("a service that takes half of what it is asked brings the rate down to about that") {
  simulation s;
  double allowed = 0;
  pace::time last = s.now;
  const auto attempt = [&] {
    s.now += s.limiter.take(s.now);
    allowed = std::min(50.0, allowed + 50 * std::chrono::duration<double>(s.now - last).count());
    last = s.now;
    const bool throttled = allowed < 1;
    if (!throttled) allowed -= 1;
    s.limiter.answered(s.now, throttled);
    s.now += 10ms;
    return throttled;
  };
  while (s.now < pace::time{160s}) attempt();
  int asked = 0, throttles = 0;
  for (const auto end = s.now + 60s; s.now < end; ++asked) throttles += attempt() ? 1 : 0;
  CHECK(asked - throttles > 0.8 * 50 * 60);
  CHECK(throttles < 0.25 * asked);
}

TEST_CASE("the lowered rate is kept") {
  simulation s;
  s.run(10s, 10ms);
  for (int i = 0; i < 50; ++i) s.limiter.answered(s.now, true);
  s.now += 500ms;
  s.limiter.answered(s.now, true);
  const int answers = s.run(1s, 1ms);
  CHECK(answers >= 60);
  CHECK(answers <= 130);
}

TEST_CASE("a burst of throttles in flight lowers the rate once") {
  simulation s;
  s.run(10s, 10ms);
  for (int i = 0; i < 32; ++i) s.limiter.answered(s.now, true);
  CHECK(s.limiter.rate() == doctest::Approx(70).epsilon(0.3));
}

TEST_CASE("throttles that go on lower it again and again, never below one in two seconds") {
  simulation s;
  s.run(10s, 10ms);
  double last = 1e9;
  for (int i = 0; i < 200; ++i) {
    s.now += 500ms;
    s.limiter.answered(s.now, true);
    CHECK(s.limiter.rate() <= last);
    CHECK(s.limiter.rate() >= 0.5);
    last = s.limiter.rate();
  }
  CHECK(last == 0.5);
  s.limiter.take(s.now);
  CHECK(s.limiter.take(s.now) > 0ms);
}

TEST_CASE("recovery is gradual and goes beyond the old rate in the end") {
  simulation s;
  s.run(10s, 10ms);
  s.attempt(true);
  std::vector<double> rates;
  for (int second = 0; second < 20; ++second) {
    s.run(1s, 1ms);
    rates.push_back(s.limiter.rate());
  }
  CHECK(rates.front() < 150);
  for (std::size_t i = 1; i < rates.size(); ++i) {
    CAPTURE(i);
    CHECK(rates[i] >= rates[i - 1] * 0.98);
    CHECK(rates[i] <= rates[i - 1] * 2.1 + 1);
  }
  CHECK(rates.back() > 150);
}

TEST_CASE("it recovers from the lowest rate") {
  simulation s;
  s.run(2s, 10ms);
  for (int i = 0; i < 50; ++i) {
    s.now += 500ms;
    s.limiter.answered(s.now, true);
  }
  CHECK(s.limiter.rate() <= 1);
  s.run(60s, 1ms);
  CHECK(s.limiter.rate() > 20);
}

TEST_CASE("a throttle before the first measurement goes by what came so far") {
  simulation s;
  for (int i = 0; i < 32; ++i) s.limiter.answered(s.now, false);
  s.limiter.answered(s.now, true);
  CHECK(s.limiter.rate() == doctest::Approx(64).epsilon(0.02));
}

TEST_CASE("waiters are served in order, at the rate") {
  simulation s;
  s.run(10s, 10ms);
  s.attempt(true);
  const double rate = s.limiter.rate();
  std::chrono::milliseconds last{-1};
  std::chrono::milliseconds first_wait = s.limiter.take(s.now), wait = first_wait;
  for (int i = 0; i < 35; ++i) {
    CHECK(wait > last);
    last = wait;
    wait = s.limiter.take(s.now);
  }
  CHECK((wait - first_wait).count() == doctest::Approx(35 * 1000 / rate).epsilon(0.02));
}

TEST_CASE("a clock that stands still or goes back does no harm") {
  simulation s;
  s.limiter.answered(s.now, true);
  s.limiter.answered(s.now - 10s, false);
  s.limiter.answered(s.now - 20s, true);
  CHECK(s.limiter.rate() >= 0.5);
  CHECK(s.limiter.take(s.now - 30s) >= 0ms);
}
