#include "dynabackup/byte_budget.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes/run_task.hpp"

namespace asio = boost::asio;
using dynabackup::byte_budget;
using dynabackup::task;

namespace {

struct journal {
  std::string text;
  std::vector<byte_budget::charge> held;
};

task<void> take(byte_budget& budget, std::size_t bytes, journal& seen, char name) {
  seen.held.push_back(co_await budget.acquire(bytes));
  seen.text += name;
}

task<void> take_and_hold(byte_budget& budget, std::size_t bytes) {
  const auto share = co_await budget.acquire(bytes);
  asio::steady_timer forever(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await forever.async_wait(asio::use_awaitable);
}

void spawn(asio::io_context& io, task<void> work) {
  asio::co_spawn(io, std::move(work), [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  });
}

void settle(asio::io_context& io) {
  io.restart();
  while (io.poll() > 0) {
  }
}

struct cancellable {
  asio::cancellation_signal signal;
  std::exception_ptr failure;
  bool done = false;

  void spawn(asio::io_context& io, task<void> work) {
    asio::co_spawn(io, std::move(work),
                   asio::bind_cancellation_slot(signal.slot(), [this](const std::exception_ptr& e) {
                     failure = e;
                     done = true;
                   }));
  }
  [[nodiscard]] bool aborted() const {
    if (!failure) return false;
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& e) {
      return e.code() == asio::error::operation_aborted;
    } catch (...) {
      return false;
    }
  }
};

}  // namespace

TEST_CASE("what fits is charged at once and given back on destruction") {
  byte_budget budget(100);
  {
    const auto share = dynabackup::fakes::run_task(budget.acquire(60));
    CHECK(share.bytes() == 60);
    CHECK(budget.used() == 60);
    CHECK(budget.limit() == 100);
  }
  CHECK(budget.used() == 0);
  CHECK(budget.waits() == 0);
}

TEST_CASE("what does not fit waits, first come first served, also when a later one would fit") {
  asio::io_context io{1};
  byte_budget budget(100);
  journal seen;
  spawn(io, take(budget, 60, seen, 'a'));
  spawn(io, take(budget, 50, seen, 'b'));
  spawn(io, take(budget, 10, seen, 'c'));
  settle(io);
  CHECK(seen.text == "a");
  CHECK(budget.waits() == 2);
  seen.held.clear();
  CHECK_MESSAGE(seen.text == "a", "nobody is resumed inside a destructor");
  CHECK_MESSAGE(budget.used() == 60, "the shares are already theirs");
  settle(io);
  CHECK(seen.text == "abc");
  seen.held.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("an oversized request goes when nothing is charged, and alone") {
  asio::io_context io{1};
  byte_budget budget(100);
  journal seen;
  spawn(io, take(budget, 1, seen, 'a'));
  spawn(io, take(budget, 1'000, seen, 'b'));
  spawn(io, take(budget, 1, seen, 'c'));
  settle(io);
  CHECK(seen.text == "a");
  seen.held.clear();
  settle(io);
  CHECK(seen.text == "ab");
  CHECK(budget.used() == 1'000);
  seen.held.clear();
  settle(io);
  CHECK(seen.text == "abc");
  seen.held.clear();
}

TEST_CASE("a size near the largest number neither overflows nor slips in") {
  asio::io_context io{1};
  byte_budget budget(100);
  journal seen;
  spawn(io, take(budget, 10, seen, 'a'));
  spawn(io, take(budget, static_cast<std::size_t>(-5), seen, 'b'));
  settle(io);
  CHECK(seen.text == "a");
  seen.held.clear();
  settle(io);
  CHECK(seen.text == "ab");
  seen.held.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("resizing corrects the charge: growing may overdraw, shrinking lets the next one in") {
  asio::io_context io{1};
  byte_budget budget(100);
  journal seen;
  spawn(io, take(budget, 40, seen, 'a'));
  settle(io);
  seen.held.front().resize(150);
  CHECK(budget.used() == 150);
  spawn(io, take(budget, 10, seen, 'b'));
  settle(io);
  CHECK(seen.text == "a");
  seen.held.front().resize(90);
  settle(io);
  CHECK(seen.text == "ab");
  CHECK(budget.used() == 100);
  byte_budget::charge none;
  none.resize(7);
  CHECK(none.bytes() == 0);
  seen.held.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("a charge moves, and a move onto another gives the other back") {
  byte_budget budget(100);
  auto first = dynabackup::fakes::run_task(budget.acquire(30));
  auto second = dynabackup::fakes::run_task(budget.acquire(20));
  first = std::move(second);
  CHECK(budget.used() == 20);
  auto third = std::move(first);
  CHECK(budget.used() == 20);
  CHECK(third.bytes() == 20);
  third.release();
  third.release();
  CHECK(budget.used() == 0);
}

TEST_CASE("a cancelled waiter throws operation_aborted, is charged nothing and no longer stands in the way") {
  asio::io_context io{1};
  byte_budget budget(100);
  journal seen;
  spawn(io, take(budget, 60, seen, 'a'));
  cancellable big;
  big.spawn(io, take(budget, 100, seen, 'b'));
  spawn(io, take(budget, 40, seen, 'c'));
  settle(io);
  CHECK(seen.text == "a");
  big.signal.emit(asio::cancellation_type::terminal);
  settle(io);
  CHECK(big.aborted());
  CHECK(seen.text == "ac");
  CHECK(budget.used() == 100);
  seen.held.clear();
  CHECK(budget.used() == 0);
}

TEST_CASE("a waiter cancelled at the moment it is served leaks nothing") {
  for (const bool served_first : {true, false}) {
    CAPTURE(served_first);
    asio::io_context io{1};
    byte_budget budget(10);
    journal seen;
    spawn(io, take(budget, 10, seen, 'a'));
    cancellable waiting;
    waiting.spawn(io, take(budget, 10, seen, 'b'));
    spawn(io, take(budget, 10, seen, 'c'));
    settle(io);
    if (served_first) seen.held.clear();
    waiting.signal.emit(asio::cancellation_type::terminal);
    if (!served_first) seen.held.clear();
    settle(io);
    CHECK(waiting.done);
    seen.held.clear();
    settle(io);
    CHECK(seen.text.back() == 'c');
    seen.held.clear();
    CHECK(budget.used() == 0);
  }
}

TEST_CASE("an io_context torn down with holders and waiters gives everything back") {
  auto budget = std::make_unique<byte_budget>(10);
  SUBCASE("and the budget is still there") {
    {
      asio::io_context io{1};
      for (int i = 0; i < 5; ++i) spawn(io, take_and_hold(*budget, 10));
      settle(io);
      CHECK(budget->used() == 10);
    }
    CHECK(budget->used() == 0);
  }
  SUBCASE("in the middle of a hand-over") {
    {
      asio::io_context io{1};
      journal seen;
      spawn(io, take(*budget, 10, seen, 'a'));
      for (int i = 0; i < 5; ++i) spawn(io, take_and_hold(*budget, 10));
      settle(io);
      seen.held.clear();
    }
    CHECK(budget->used() == 0);
  }
  SUBCASE("and the budget is gone already") {
    asio::io_context io{1};
    for (int i = 0; i < 5; ++i) spawn(io, take_and_hold(*budget, 10));
    settle(io);
    budget.reset();
    CHECK(budget == nullptr);
  }
}
