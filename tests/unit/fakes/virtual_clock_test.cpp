#include "fakes/virtual_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>
#include <exception>
#include <memory>
#include <string>

using namespace dynabackup;
using namespace std::chrono_literals;

namespace {

task<void> nap(fakes::virtual_clock& clock, std::chrono::milliseconds duration, std::string name, std::string& log) {
  co_await clock.sleep(duration);
  log += name;
}

}  // namespace

TEST_CASE("sleepers wake in the order of virtual time, and nobody waits for it") {
  fakes::timeline time;
  fakes::virtual_clock clock(time);
  boost::asio::io_context io{1};
  std::string log;
  boost::asio::co_spawn(io, nap(clock, 3h, "c", log), boost::asio::detached);
  boost::asio::co_spawn(io, nap(clock, 1ms, "a", log), boost::asio::detached);
  boost::asio::co_spawn(io, nap(clock, 2h, "b", log), boost::asio::detached);
  const auto driven = fakes::drive(io, time, [&] { return log.size() == 3; });
  CHECK(driven.end == fakes::drive_end::finished);
  CHECK(log == "abc");
  CHECK(time.elapsed() == 3h);
  CHECK(clock.sleeping() == 0);
}

TEST_CASE("a cancelled sleep throws operation_aborted at once and leaves nothing behind") {
  fakes::timeline time;
  fakes::virtual_clock clock(time);
  boost::asio::io_context io{1};
  boost::asio::cancellation_signal cancel;
  std::exception_ptr failure;
  std::string log;
  boost::asio::co_spawn(
      io, nap(clock, 24h, "never", log),
      boost::asio::bind_cancellation_slot(cancel.slot(), [&](const std::exception_ptr& e) { failure = e; }));
  time.after(5ms, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
  CHECK(fakes::drive(io, time, [&] { return failure != nullptr; }).end == fakes::drive_end::finished);
  CHECK(time.elapsed() == 5ms);
  CHECK(log.empty());
  CHECK(clock.sleeping() == 0);
  CHECK_FALSE(time.advance());
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}

TEST_CASE("a task that waits for what never comes is found to hang") {
  fakes::timeline time;
  boost::asio::io_context io{1};
  boost::asio::steady_timer never(io, boost::asio::steady_timer::time_point::max());
  bool done = false;
  never.async_wait([&](const boost::system::error_code&) { done = true; });
  CHECK(fakes::drive(io, time, [&] { return done; }).end == fakes::drive_end::hung);
}

TEST_CASE("a crash after any number of handlers drops every sleeper with its event") {
  fakes::timeline time;
  fakes::virtual_clock clock(time);
  std::string log;
  for (std::uint64_t handlers = 0; handlers < 6; ++handlers) {
    auto io = std::make_unique<boost::asio::io_context>(1);
    for (int i = 0; i < 3; ++i) boost::asio::co_spawn(*io, nap(clock, 1h, "x", log), boost::asio::detached);
    const auto driven = fakes::drive(*io, time, [&] { return log.size() == 3; }, {.handlers = handlers});
    CHECK(driven.end == fakes::drive_end::stopped);
    io.reset();
    CHECK(clock.sleeping() == 0);
    CHECK_FALSE(time.advance());
    log.clear();
  }
}

TEST_CASE("a clock may be wrong about the hour, not about how long things take") {
  fakes::timeline time;
  fakes::virtual_clock right(time), ahead(time, 5min);
  time.advance_to(10min);
  CHECK(ahead.now() - right.now() == 5min);
  CHECK(ahead.steady_now() == right.steady_now());
}
