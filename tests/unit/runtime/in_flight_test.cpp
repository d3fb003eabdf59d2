#include "runtime/in_flight.hpp"

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
#include <stdexcept>
#include <string>
#include <utility>

#include "dynabackup/error.hpp"
#include "fakes/run_task.hpp"

namespace asio = boost::asio;
using dynabackup::interrupted;
using dynabackup::task;
using dynabackup::fakes::run_task;
using dynabackup::runtime::bounded;
using dynabackup::runtime::in_flight;
using dynabackup::runtime::interruption;

namespace {

struct counts {
  std::size_t started = 0;
  std::size_t finished = 0;
  std::size_t cancelled = 0;
  std::size_t alive = 0;
  std::size_t peak = 0;
};

struct presence {
  explicit presence(counts& c) : seen(c) {
    ++seen.started;
    seen.peak = std::max(seen.peak, ++seen.alive);
  }
  ~presence() { --seen.alive; }
  counts& seen;
};

task<void> turns(int n) {
  for (int i = 0; i < n; ++i) co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
}

task<void> forever() {
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

task<void> work(counts& seen, int n) {
  const presence here(seen);
  co_await turns(n);
  ++seen.finished;
}

// Runs until cancelled, and takes its time to end even then.
task<void> stubborn(counts& seen) {
  const presence here(seen);
  bool cancelled = false;
  try {
    co_await forever();
  } catch (const boost::system::system_error&) {
    cancelled = true;
  }
  co_await asio::this_coro::reset_cancellation_state();
  co_await turns(5);
  if (cancelled) {
    ++seen.cancelled;
    throw boost::system::system_error(asio::error::operation_aborted);
  }
}

task<void> fails(counts& seen, int after, std::string what) {
  const presence here(seen);
  co_await turns(after);
  throw std::runtime_error(what);
}

task<void> is_interrupted(counts& seen, int after) {
  const presence here(seen);
  co_await turns(after);
  throw interrupted();
}

template <class Work>
std::string outcome(Work work) {
  try {
    work();
    return "ok";
  } catch (const interrupted&) {
    return "interrupted";
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted ? "aborted" : "other";
  } catch (const std::exception& e) {
    return e.what();
  }
}

struct fixture {
  interruption stop;
  counts seen;

  std::string run(std::size_t limit, std::function<task<void>(in_flight&)> produce) {
    return outcome([&] { run_task(bounded(limit, stop, std::move(produce))); });
  }
  // Runs it and cancels it after `steps` handlers of the io_context have run.
  std::string run_cancelled(std::size_t limit, std::function<task<void>(in_flight&)> produce, int steps) {
    asio::io_context io{1};
    asio::cancellation_signal signal;
    std::exception_ptr failure;
    bool done = false;
    asio::co_spawn(io, bounded(limit, stop, std::move(produce)),
                   asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr& e) {
                     failure = e;
                     done = true;
                     CHECK_MESSAGE(seen.alive == 0, "no child outlives bounded()");
                   }));
    for (int i = 0; i < steps && io.poll_one() > 0; ++i) {
    }
    if (!done) signal.emit(asio::cancellation_type::terminal);
    io.restart();
    io.run();
    CHECK(done);
    return outcome([&] {
      if (failure) std::rethrow_exception(failure);
    });
  }
};

}  // namespace

TEST_CASE_FIXTURE(fixture, "all children run, never more than the limit, and bounded waits for the last") {
  CHECK(run(8, [this](in_flight& group) -> task<void> {
          for (int i = 0; i < 5000; ++i) co_await group.start(work(seen, i % 4 + 10));
        }) == "ok");
  CHECK(seen.finished == 5000);
  CHECK(seen.peak == 8);
  CHECK(seen.alive == 0);
}

TEST_CASE_FIXTURE(fixture, "a group without places is refused") {
  CHECK_THROWS_AS(in_flight(0, stop), std::invalid_argument);
}

TEST_CASE_FIXTURE(fixture, "a limit need not be a power of two") {
  CHECK(run(3, [this](in_flight& group) -> task<void> {
          for (int i = 0; i < 100; ++i) co_await group.start(work(seen, 2));
        }) == "ok");
  CHECK(seen.peak == 3);
}

TEST_CASE_FIXTURE(fixture, "the first failure cancels the siblings, stops the producer and is rethrown") {
  bool stopped = false;
  CHECK(run(16, [&](in_flight& group) -> task<void> {
          for (int i = 0; i < 10; ++i) co_await group.start(stubborn(seen));
          co_await group.start(fails(seen, 3, "first"));
          co_await group.start(fails(seen, 4, "second"));
          try {
            for (;;) co_await group.start(work(seen, 1));
          } catch (const std::runtime_error& e) {
            stopped = std::string(e.what()) == "first";
            throw;
          }
        }) == "first");
  CHECK(stopped);
  CHECK(seen.cancelled == 10);
  CHECK(seen.alive == 0);
}

TEST_CASE_FIXTURE(fixture, "a failure wakes a producer that waits for a place") {
  CHECK(run(2, [&](in_flight& group) -> task<void> {
          co_await group.start(stubborn(seen));
          co_await group.start(fails(seen, 3, "broken"));
          co_await group.start(work(seen, 1));
          CHECK_MESSAGE(false, "start must throw");
        }) == "broken");
  CHECK(seen.started == 2);
}

TEST_CASE_FIXTURE(fixture, "a child that fails before it first waits is a failure like any other") {
  CHECK(run(2, [&](in_flight& group) -> task<void> {
          co_await group.start(stubborn(seen));
          co_await group.start(fails(seen, 0, "at once"));
        }) == "at once");
  CHECK(seen.cancelled == 1);
}

TEST_CASE_FIXTURE(fixture, "a producer that swallows the group's failure does not hide it") {
  CHECK(run(2, [&](in_flight& group) -> task<void> {
          co_await group.start(fails(seen, 0, "seen anyway"));
          co_await turns(3);
          try {
            co_await group.start(work(seen, 0));
          } catch (const std::runtime_error&) {
          }
        }) == "seen anyway");
}

TEST_CASE_FIXTURE(fixture, "a failure of the producer cancels the children, joins them and is rethrown") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          co_await group.start(stubborn(seen));
          co_await group.start(stubborn(seen));
          throw std::runtime_error("producer");
        }) == "producer");
  CHECK(seen.cancelled == 2);
  CHECK(seen.alive == 0);
}

TEST_CASE_FIXTURE(fixture, "interrupted: start throws, children settle uncancelled, bounded rethrows it") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          for (int i = 0;; ++i) {
            if (i == 7) stop.requested = true;
            co_await group.start(work(seen, 6));
          }
        }) == "interrupted");
  CHECK(seen.started == 7);
  CHECK(seen.finished == 7);
}

TEST_CASE_FIXTURE(fixture, "interrupted while the producer waits for a place: it throws when one is free") {
  CHECK(run(1, [&](in_flight& group) -> task<void> {
          co_await group.start(work(seen, 6));
          asio::post(co_await asio::this_coro::executor, [&] { stop.requested = true; });
          co_await group.start(work(seen, 6));
        }) == "interrupted");
  CHECK(seen.started == 1);
  CHECK(seen.finished == 1);
}

TEST_CASE_FIXTURE(fixture, "a failure of a child outranks the interruption") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          co_await group.start(fails(seen, 5, "worse"));
          co_await group.start(stubborn(seen));
          stop.requested = true;
          stop.check();
        }) == "worse");
  CHECK(seen.cancelled == 1);
}

TEST_CASE_FIXTURE(fixture, "an interrupted child lets its siblings settle and stops the producer") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          co_await group.start(work(seen, 20));
          co_await group.start(is_interrupted(seen, 1));
          for (;;) co_await group.start(work(seen, 1));
        }) == "interrupted");
  CHECK(seen.finished == seen.started - 1);
}

TEST_CASE_FIXTURE(fixture, "a producer that ends before it notices the interruption ends well") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          co_await group.start(work(seen, 5));
          stop.requested = true;
        }) == "ok");
  CHECK(seen.finished == 1);
}

TEST_CASE_FIXTURE(fixture, "drain is a barrier") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          for (int i = 0; i < 3; ++i) co_await group.start(work(seen, 10));
          CHECK(group.running() == 3);
          co_await group.drain();
          CHECK(group.running() == 0);
          CHECK(seen.finished == 3);
          co_await group.start(work(seen, 1));
        }) == "ok");
  CHECK(seen.finished == 4);
}

TEST_CASE_FIXTURE(fixture, "drain throws the group's failure once nobody runs") {
  CHECK(run(4, [&](in_flight& group) -> task<void> {
          co_await group.start(stubborn(seen));
          co_await group.start(fails(seen, 3, "during the barrier"));
          std::string what;
          try {
            co_await group.drain();
          } catch (const std::runtime_error& e) {
            what = e.what();
          }
          CHECK(what == "during the barrier");
          CHECK(seen.alive == 0);
        }) == "during the barrier");
}

TEST_CASE_FIXTURE(fixture, "several producers may share a group") {
  const auto produce = [this](in_flight& group) -> task<void> {
    for (int i = 0; i < 50; ++i) co_await group.start(work(seen, 2));
  };
  CHECK(run(4, [&](in_flight& uploads) -> task<void> {
          co_await bounded(3, stop, [&](in_flight& segments) -> task<void> {
            for (int i = 0; i < 3; ++i) co_await segments.start(produce(uploads));
          });
        }) == "ok");
  CHECK(seen.finished == 150);
  CHECK(seen.peak == 4);
}

TEST_CASE_FIXTURE(fixture, "a failure in a shared group stops every producer") {
  const auto produce = [this](in_flight& group) -> task<void> {
    for (;;) co_await group.start(work(seen, 2));
  };
  CHECK(run(4, [&](in_flight& uploads) -> task<void> {
          co_await bounded(3, stop, [&](in_flight& segments) -> task<void> {
            for (int i = 0; i < 3; ++i) co_await segments.start(produce(uploads));
            co_await turns(20);
            co_await uploads.start(fails(seen, 1, "shared"));
          });
        }) == "shared");
  CHECK(seen.alive == 0);
}

TEST_CASE("the caller's cancellation, at every step, reaches every child and leaves none behind") {
  std::size_t aborted = 0;
  for (int steps = 0; steps < 120; ++steps) {
    CAPTURE(steps);
    fixture f;
    const std::string end = f.run_cancelled(
        3,
        [&](in_flight& group) -> task<void> {
          for (int i = 0; i < 6; ++i) co_await group.start(work(f.seen, 3));
          co_await group.drain();
          co_await group.start(stubborn(f.seen));
          co_await group.start(work(f.seen, 4));
        },
        steps);
    CHECK(end == "aborted");
    CHECK(f.seen.alive == 0);
    aborted += f.seen.cancelled;
  }
  CHECK_MESSAGE(aborted > 10, "some of the steps fell into the join");
}

TEST_CASE("cancellation while the last children are joined still waits for slow ones") {
  fixture f;
  CHECK(f.run_cancelled(
            4,
            [&](in_flight& group) -> task<void> {
              for (int i = 0; i < 4; ++i) co_await group.start(stubborn(f.seen));
            },
            50) == "aborted");
  CHECK(f.seen.cancelled == 4);
}

TEST_CASE("a producer that has been cancelled but ends in silence still fails the group") {
  fixture f;
  CHECK(f.run_cancelled(
            4,
            [&](in_flight& group) -> task<void> {
              co_await group.start(stubborn(f.seen));
              try {
                co_await forever();
              } catch (const boost::system::system_error&) {
              }
            },
            50) == "aborted");
  CHECK(f.seen.cancelled == 1);
}

TEST_CASE("a nested group passes the cancellation on") {
  fixture f;
  CHECK(f.run_cancelled(
            2,
            [&](in_flight& outer) -> task<void> {
              for (int i = 0; i < 2; ++i) {
                co_await outer.start(bounded(2, f.stop, [&](in_flight& inner) -> task<void> {
                  for (int k = 0; k < 3; ++k) co_await inner.start(stubborn(f.seen));
                }));
              }
            },
            50) == "aborted");
  CHECK(f.seen.started == 4);
  CHECK(f.seen.cancelled == 4);
}

TEST_CASE("thousands of children under one signal") {
  fixture f;
  CHECK(f.run_cancelled(
            4096,
            [&](in_flight& group) -> task<void> {
              for (int i = 0; i < 4096; ++i) co_await group.start(stubborn(f.seen));
            },
            1'000'000) == "aborted");
  CHECK(f.seen.cancelled == 4096);
}

TEST_CASE("an io_context torn down in the middle takes the group and its children with it") {
  for (int steps = 0; steps < 40; ++steps) {
    fixture f;
    {
      asio::io_context io{1};
      asio::co_spawn(io,
                     bounded(3, f.stop,
                             [&](in_flight& group) -> task<void> {
                               co_await group.start(stubborn(f.seen));
                               for (int i = 0; i < 6; ++i) co_await group.start(work(f.seen, 3));
                               co_await group.start(fails(f.seen, 2, "late"));
                             }),
                     [](const std::exception_ptr&) {});
      for (int i = 0; i < steps && io.poll_one() > 0; ++i) {
      }
    }
    CHECK(f.seen.alive == 0);
  }
}
