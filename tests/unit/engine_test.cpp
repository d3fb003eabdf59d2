#include "dynabackup/engine.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <memory>

using namespace std::chrono_literals;
using namespace dynabackup;
namespace net = boost::asio;
using clock_type = std::chrono::steady_clock;

namespace {

/// Never answers; on request not even to a cancellation.
class silence final : public transport {
 public:
  explicit silence(bool stubborn = false) : stubborn_(stubborn) {}
  task<response> send(request&) override {
    ++asked;
    if (stubborn_) co_await net::this_coro::reset_cancellation_state(net::disable_cancellation());
    net::steady_timer forever(co_await net::this_coro::executor, 1h);
    co_await forever.async_wait(net::use_awaitable);
    co_return response{};
  }
  int asked = 0;

 private:
  bool stubborn_;
};

settings anywhere() {
  settings s;
  s.s3.region = s.dynamodb.region = "eu-west-1";
  s.credentials.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY") return "x";
    return std::nullopt;
  };
  return s;
}

snapshot_options something() {
  return {.from = s3_location::of("a", "b"), .to = s3_location::of("c", "d"), .name = "e"};
}

time_limit after(clock_type::duration stop, clock_type::duration cancel, clock_type::duration end) {
  const auto now = clock_type::now();
  return {now + stop, now + cancel, now + end};
}

}  // namespace

TEST_CASE("a run whose time is over is stopped, cancelled, and told from an interrupted one") {
  silence network;
  engine one(anywhere(), network);
  progress seen;
  for (int again = 1; again <= 2; ++again) {
    const auto began = clock_type::now();
    CHECK_THROWS_AS(one.run(one.snapshot(something(), seen), {}, 200ms, after(20ms, 60ms, 20s)), out_of_time);
    CHECK(clock_type::now() - began >= 60ms);
    CHECK(clock_type::now() - began < 10s);
    CHECK(!one.broken_off());
    CHECK(network.asked == again);
  }
}

TEST_CASE("a signal is an interruption, also where there is a limit") {
  silence network;
  engine one(anywhere(), network);
  progress seen;
  bool signalled = false;
  const auto signal_twice = [&] {
    std::raise(SIGTERM);
    signalled = true;
  };
  try {
    one.run(one.snapshot(something(), seen), signal_twice, 20ms, after(20s, 21s, 22s));
    FAIL("ended well");
  } catch (const out_of_time&) {
    FAIL("not the time");
  } catch (const interrupted&) {
    CHECK(signalled);
  }
}

TEST_CASE("what cannot be cancelled is broken off at the end of its time") {
  silence network(true);
  // Nothing but the end of the process may follow: neither is ever destroyed.
  static engine* const one = new engine(anywhere(), network);
  static progress* const seen = new progress;
  const auto began = clock_type::now();
  CHECK_THROWS_AS(one->run(one->snapshot(something(), *seen), {}, 200ms, after(10ms, 20ms, 50ms)), out_of_time);
  CHECK(one->broken_off());
  CHECK(clock_type::now() - began < 10s);
}

/// Refuses at once, and leaves something behind that takes its time.
class loose_end final : public transport {
 public:
  explicit loose_end(clock_type::duration takes) : takes_(takes) {}
  task<response> send(request&) override {
    const auto here = co_await net::this_coro::executor;
    net::co_spawn(here, wait(takes_), net::detached);
    response r;
    r.status = 403;
    co_return r;
  }

 private:
  static task<void> wait(clock_type::duration takes) {
    net::steady_timer timer(co_await net::this_coro::executor, takes);
    co_await timer.async_wait(net::use_awaitable);
  }
  clock_type::duration takes_;
};

TEST_CASE("what an operation leaves behind is broken off at the end of its time, and its outcome told") {
  loose_end network(1h);
  static engine* const one = new engine(anywhere(), network);
  static progress* const seen = new progress;
  const auto began = clock_type::now();
  CHECK_THROWS_AS(one->run(one->snapshot(something(), *seen), {}, 200ms, after(20ms, 40ms, 100ms)), service_error);
  CHECK(one->broken_off());
  CHECK(clock_type::now() - began < 10s);
}

TEST_CASE("what an operation leaves behind has the time that is left") {
  loose_end network(50ms);
  engine one(anywhere(), network);
  progress seen;
  CHECK_THROWS_AS(one.run(one.snapshot(something(), seen), {}, 200ms, after(20s, 30s, 40s)), service_error);
  CHECK(!one.broken_off());
  CHECK_THROWS_AS(one.run(one.snapshot(something(), seen)), service_error);
}

TEST_CASE("a limit that is not reached changes nothing") {
  class refusal final : public transport {
    task<response> send(request&) override {
      response r;
      r.status = 403;
      co_return r;
    }
  } network;
  engine one(anywhere(), network);
  progress seen;
  CHECK_THROWS_AS(one.run(one.snapshot(something(), seen), {}, 200ms, after(20s, 30s, 40s)), service_error);
}
