// Lost answers, late effects, conditions that do not hold, and what else happens to a recorder's writes.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <doctest/doctest.h>

#include "pipelines/recorder.hpp"
#include "recorder_world.hpp"

using namespace dynabackup;
using namespace std::chrono_literals;
using fakes::fate;
using fakes::recorder_process;
using fakes::recorder_world;
using fakes::told;

namespace {

struct recording {
  recorder_world world;
  recorder_process process;
  explicit recording(bool conditions = true, int attempts = 4) : world(conditions), process(world, {}, attempts) {
    process.prepare();
    world.requests.clear();
  }
  /// The first so many requests of that method meet that fate.
  void plan(const char* method, fate f, int times = 1) {
    world.plan = [=, left = times](const request& r) mutable {
      return r.method == method && left-- > 0 ? f : fakes::fine;
    };
  }
  [[nodiscard]] std::chrono::milliseconds now() const { return world.time.elapsed(); }
};

/// A request of this method to the item `id`.
bool concerns(const request& r, const char* method, const char* id) {
  return r.method == method && r.target.find(recorder_world::key_of(id)) != std::string::npos;
}

}  // namespace

TEST_CASE("a success whose answer was lost is recognised and not written twice") {
  recording r;
  r.plan("PUT", fakes::answer_lost);
  const recorded done = r.process.record({{"1", "a", "1"}});
  CHECK(r.world.history("a") == "1=1");
  CHECK(done.puts == 1);
  CHECK(done.repeats == 0);
  CHECK_FALSE(done.first_failed);
}

TEST_CASE("a removal whose answer was lost is made sure of") {
  recording r;
  r.process.record({{"1", "a", "1"}});
  r.plan("DELETE", fakes::answer_lost);
  const recorded done = r.process.record({{"2", "a"}});
  CHECK(r.world.history("a") == "1=1 x x");
  CHECK(done.deletes == 1);
}

TEST_CASE("an insert that comes late cannot bring back what was removed since") {
  recording r;
  r.plan("PUT", fakes::late);
  const auto begun = r.now();
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "a"}});
  CHECK(r.now() - begun >= 65s);  // If-None-Match holds over a marker: it landed after 20 s
  CHECK_FALSE(done.first_failed);
  CHECK(done.deletes == 1);
  CHECK(r.world.history("a") == "1=1 x 1=1 x");
}

TEST_CASE("a late write that its condition keeps out is not waited for") {
  recording r;
  r.plan("PUT", fakes::late);
  const auto begun = r.now();
  r.process.record({{"1", "a", "1"}, {"2", "a", "2"}});
  CHECK(r.now() - begun < 5s);
  CHECK(r.process.recording->late_until());
  r.world.pass(90s);
  CHECK(r.world.history("a") == "1=1 2=2");
}

TEST_CASE("a late write whose condition is met again, because an item is what it was, is undone") {
  recording r;
  r.process.record({{"1", "a", "same"}});
  r.plan("PUT", fakes::late);
  const recorded done = r.process.record({{"2", "a", "other"}, {"3", "a", "same"}});
  CHECK_FALSE(done.first_failed);
  r.world.pass(90s);
  CHECK(r.world.history("a") == "1=same 2=other 3=same 2=other 3=same");
}

TEST_CASE("a late removal is undone where the item was put again") {
  recording r;
  r.plan("DELETE", fakes::late);
  const recorded done = r.process.record({{"1", "a"}, {"2", "a", "2"}});
  CHECK_FALSE(done.first_failed);
  r.world.pass(90s);
  CHECK(r.world.history("a") == "x 2=2 x 2=2");
}

TEST_CASE("what may come late is remembered from batch to batch, also of a batch that failed") {
  recording r(true, 1);
  r.plan("PUT", fakes::late);
  const recorded failed = r.process.record({{"1", "a", "1"}});
  CHECK(failed.first_failed == "1");
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "a"}});
  CHECK_FALSE(done.first_failed);
  r.world.pass(90s);
  CHECK(r.world.history("a") == "1=1 x 1=1 x");
}

TEST_CASE("without conditions an older state that surfaced is overwritten before anything is told") {
  recording r(false);
  r.plan("PUT", fakes::late);
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "a", "2"}});
  CHECK_FALSE(done.first_failed);
  CHECK(done.puts == 2);
  CHECK(r.world.history("a") == "1=1 2=2 1=1 2=2");
}

TEST_CASE("without conditions a lost answer to a key's newest change holds nothing up") {
  recording r(false);
  r.plan("PUT", fakes::late);
  const auto begun = r.now();
  r.process.record({{"1", "a", "1"}});
  CHECK(r.now() - begun < 5s);
  r.world.pass(90s);
  CHECK(r.world.history("a") == "1=1 1=1");
}

TEST_CASE("an interruption while a late write is waited for tells nothing of that key as recorded") {
  recording r;
  r.plan("PUT", fakes::late);
  r.world.time.after(10s, [&] { r.process.stop.requested = true; });
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "a"}, {"3", "b", "1"}});
  CHECK(done.first_failed == "1");
  CHECK(r.now() < 30s);
  CHECK(r.world.history("b") == "3=1");
  r.process.stop.requested = false;
  CHECK_FALSE(r.process.record({{"1", "a", "1"}, {"2", "a"}, {"3", "b", "1"}}).first_failed);
  r.world.pass(90s);
  CHECK(r.world.store.versions("b", recorder_world::key_of("a")).at(0).delete_marker());
}

TEST_CASE("a backfill that writes between the look and the write is overwritten, with conditions by another look") {
  for (const bool conditions : {true, false}) {
    recording r(conditions);
    int puts = 0;
    r.world.before_effect = [&](const request& q) {
      if (concerns(q, "PUT", "a") && ++puts == 1) r.world.put_by_backfill("a", "0");
    };
    const recorded done = r.process.record({{"1", "a", "1"}});
    CHECK(r.world.history("a") == "?=0 1=1");
    CHECK(done.puts == 1);
    CHECK(r.world.requests.size() == (conditions ? 4 : 2));
  }
}

TEST_CASE("a removal follows a backfill's object that came in between") {
  recording r;
  r.process.record({{"1", "a", "1"}});
  int deletes = 0;
  r.world.before_effect = [&](const request& q) {
    if (concerns(q, "DELETE", "a") && ++deletes == 1) r.world.put_by_backfill("a", "0");
  };
  CHECK(r.process.record({{"2", "a"}}).deletes == 1);
  CHECK(r.world.history("a") == "1=1 ?=0 x");
}

TEST_CASE("a key that somebody else writes all the time fails instead of being tried for ever") {
  recording r;
  r.world.before_effect = [&](const request& q) {
    if (concerns(q, "PUT", "a")) r.world.put_by_backfill("a", std::to_string(r.world.requests.size()));
  };
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "b", "1"}});
  CHECK(done.first_failed == "1");
  CHECK(done.failure.find("written by somebody else") != std::string::npos);
  CHECK(r.world.history("b") == "2=1");
}

TEST_CASE("a failure of one key leaves the others alone; the lowest failed change is told, and why") {
  recording r(true, 2);
  r.world.plan = [](const request& q) {
    return concerns(q, "PUT", "b") || concerns(q, "PUT", "c") ? fakes::failing : fakes::fine;
  };
  const recorded done =
      r.process.record({{"1", "a", "1"}, {"2", "c"}, {"3", "b", "1"}, {"4", "c", "1"}, {"5", "a", "2"}});
  CHECK(done.first_failed == "3");
  CHECK(done.failure.find("PutObject") != std::string::npos);
  CHECK(r.world.history("a") == "1=1 5=2");
  CHECK(r.world.history("b").empty());
  CHECK(r.world.history("c") == "x");
  CHECK(done.puts == 2);
  CHECK(done.deletes == 1);
}

TEST_CASE("a bucket that takes nothing any more is not asked for every key of a large batch") {
  recording r(true, 1);
  r.world.plan = [](const request&) { return fakes::failing; };
  std::vector<told> many;
  for (int i = 0; i < 1000; ++i) many.push_back({std::to_string(i + 1), "k" + std::to_string(i), "v"});
  CHECK(r.process.record(many).first_failed == "1");
  CHECK(r.world.requests.size() < 60);
}

TEST_CASE("a store that refuses the state it tells is written to without conditions") {
  recording r;
  int refusals = 0;
  r.process.record({{"1", "a", "1"}});
  // What a store does that compares ETags its own way: never equal.
  r.world.before_effect = [&](const request& q) {
    for (const header& h : q.headers)
      if (h.name == "If-Match") {
        ++refusals;
        const_cast<request&>(q).set_header("If-Match", "\"never\"");
      }
  };
  const recorded done = r.process.record({{"2", "a", "2"}, {"3", "b", "1"}});
  CHECK(refusals == 2);
  CHECK(done.puts == 2);
  CHECK(r.world.history("a") == "1=1 2=2");
}

TEST_CASE("a cancellation is no failed record: it is passed on") {
  recording r;
  const dynamodb::stream_records batch = dynamodb::read_stream_event(fakes::event_of({told{"1", "a", "1"}}));
  boost::asio::cancellation_signal cancel;
  std::exception_ptr failure;
  bool done = false;
  boost::asio::co_spawn(*r.process.io, r.process.recording->record(batch),
                        boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, const recorded&) {
                          failure = e;
                          done = true;
                        }));
  r.world.time.after(12ms, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
  fakes::drive(*r.process.io, r.world.time, [&] { return done; });
  REQUIRE(failure);
  CHECK_THROWS_AS(std::rethrow_exception(failure), boost::system::system_error);
  CHECK(r.process.recording->late_until());  // the PUT was under way
}
