#include "runtime/semaphore.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "fakes/run_task.hpp"

namespace asio = boost::asio;
using dynabackup::task;
using dynabackup::runtime::semaphore;

namespace {

struct visitors {
  std::size_t inside = 0;
  std::size_t peak = 0;
  std::vector<int> order;
};

task<void> visit(semaphore& places, visitors& seen, int name) {
  const auto permit = co_await places.acquire();
  const struct leaving {
    visitors& seen;
    ~leaving() { --seen.inside; }
  } leave{seen};
  seen.peak = std::max(seen.peak, ++seen.inside);
  seen.order.push_back(name);
  for (int i = 0; i < 3; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

task<void> keep(semaphore& places, std::vector<semaphore::permit>& held) { held.push_back(co_await places.acquire()); }

}  // namespace

TEST_CASE("permits must be a power of two") {
  for (const std::size_t good : {1, 2, 4, 32, 1024}) CHECK(semaphore(good).permits() == good);
  for (const std::size_t bad : {0, 3, 5, 6, 33, 1000}) CHECK_THROWS_AS(semaphore{bad}, std::invalid_argument);
}

TEST_CASE("never more inside than permits, everybody gets in, in order") {
  asio::io_context io{1};
  semaphore places(4);
  visitors seen;
  std::vector<int> expected;
  for (int i = 0; i < 1000; ++i) {
    expected.push_back(i);
    asio::co_spawn(io, visit(places, seen, i), [](const std::exception_ptr& e) { CHECK(e == nullptr); });
  }
  io.run();
  CHECK(seen.peak == 4);
  CHECK(seen.order == expected);
  CHECK(places.in_use() == 0);
}

TEST_CASE("many waiters cancelled between releases: no permit leaks, the others keep their order") {
  asio::io_context io{1};
  semaphore places(2);
  visitors seen;
  std::vector<asio::cancellation_signal> signals(500);
  int aborted = 0;
  for (int i = 0; i < 500; ++i) {
    asio::co_spawn(io, visit(places, seen, i),
                   asio::bind_cancellation_slot(signals[static_cast<std::size_t>(i)].slot(),
                                                [&](const std::exception_ptr& e) { aborted += e ? 1 : 0; }));
  }
  // Round by round, somebody near the head of the line is cancelled, sometimes just as it is being served.
  for (std::size_t i = 0; i < signals.size() && io.poll_one() > 0; ++i) {
    if (i % 2 == 0) signals[i].emit(asio::cancellation_type::terminal);
  }
  io.run();
  CHECK(aborted > 100);
  CHECK(std::is_sorted(seen.order.begin(), seen.order.end()));
  CHECK(seen.peak == 2);
  CHECK(places.in_use() == 0);
}

TEST_CASE("releasing posts the waiter instead of resuming it") {
  asio::io_context io{1};
  semaphore places(1);
  std::vector<semaphore::permit> held;
  held.reserve(4);
  asio::co_spawn(io, keep(places, held), [](const std::exception_ptr&) {});
  asio::co_spawn(io, keep(places, held), [](const std::exception_ptr&) {});
  io.poll();
  REQUIRE(held.size() == 1);
  held.front().release();
  CHECK(held.size() == 1);
  CHECK(places.in_use() == 1);
  io.restart();
  io.run();
  CHECK(held.size() == 2);
}

TEST_CASE("a semaphore may go before the coroutines that wait for it or hold it") {
  asio::io_context io{1};
  std::vector<semaphore::permit> held;
  {
    semaphore places(1);
    for (int i = 0; i < 3; ++i) asio::co_spawn(io, keep(places, held), [](const std::exception_ptr&) {});
    io.poll();
    CHECK(held.size() == 1);
  }
  held.clear();
  io.restart();
  io.poll();
  CHECK(held.size() == 1);
}
