#include "runtime/clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "fakes/run_task.hpp"

namespace asio = boost::asio;
using namespace std::chrono_literals;
using dynabackup::runtime::system_clock;

TEST_CASE("the system clock tells the time and sleeps as long as asked") {
  system_clock time;
  CHECK(std::chrono::abs(time.now() - std::chrono::system_clock::now()) < 5s);
  const auto before = time.steady_now();
  dynabackup::fakes::run_task(time.sleep(20ms));
  CHECK(time.steady_now() - before >= 20ms);
}

TEST_CASE("a cancelled sleep throws operation_aborted at once") {
  asio::io_context io{1};
  system_clock time;
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  asio::co_spawn(io, time.sleep(1h),
                 asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& e) { failure = e; }));
  asio::post(io, [&] { signal.emit(asio::cancellation_type::terminal); });
  io.run();
  REQUIRE(failure != nullptr);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
}
