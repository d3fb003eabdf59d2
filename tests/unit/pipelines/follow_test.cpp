#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "follow_world.hpp"
#include "pipelines/recorder_lease.hpp"

namespace dynabackup::pipelines {
namespace {

bool mentions(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

/// The usage_error, or nothing.
std::string refusal(follower& f) {
  try {
    f.outcome();
  } catch (const usage_error& e) {
    return e.what();
  }
  return {};
}

std::string failure(follower& f) {
  try {
    f.outcome();
  } catch (const usage_error&) {
    return {};
  } catch (const error& e) {
    return e.what();
  }
  return {};
}

bool is_lease(const request& r) { return mentions(r.target, "recorder.json"); }

milliseconds renewed(const follow_world& w) {
  return std::chrono::duration_cast<milliseconds>(
      w.store.versions(w.home.bucket, archive::recorder_key(w.home)).at(0).last_modified - w.time.wall() +
      w.time.elapsed());
}

/// Follows for a while and is killed with a change unread.
void follow_and_die(follow_world& w) {
  follower dying(w);
  w.put("a", 1);
  dying.run(seconds{20});
  w.put("a", 2);
}

/// Per key the recorded sequence numbers in the order of the versions, oldest first.
bool numbers_rise(const follow_world& w) {
  bool rise = true;
  w.store.for_each_key(w.home.bucket, [&](const std::string& key, std::size_t, const std::string&) {
    if (mentions(key, ".dynabackup/")) return;
    auto versions = w.store.versions(w.home.bucket, key);
    std::string last;
    for (auto v = versions.rbegin(); v != versions.rend(); ++v) {
      if (v->delete_marker()) continue;
      const std::string& number = v->meta.at("sequence-number");
      rise = rise && !dynamodb::sequence_less(number, last) && number != last;
      last = number;
    }
  });
  return rise;
}

}  // namespace

TEST_CASE("what was changed before and while it follows is recorded; a stop gives the lease back") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    for (int i = 0; i < 50; ++i) w.put("k" + std::to_string(i % 20), i);
    w.remove("k3");
    follower f(w);
    f.run(seconds{20});
    CHECK(w.equal());
    for (int i = 0; i < 50; ++i) w.put("k" + std::to_string(i % 30), 100 + i);
    w.remove("k4");
    f.run(seconds{10});
    CHECK(w.equal());
    CHECK(w.state().owner != "");
    const report told = f.stopped();
    CHECK(told.interrupted);
    CHECK(told.whole());
    REQUIRE(told.changes);
    CHECK(told.changes->records == 102);
    CHECK(told.changes->deletes == 2);
    CHECK(w.state().owner == "");
    CHECK(w.gaps().empty());
    CHECK(numbers_rise(w));
  }
}

TEST_CASE("a child is read when its parent's last change is recorded, through any number of splits") {
  follow_world w;
  int n = 0;
  const auto write = [&] {
    for (int i = 0; i < 60; ++i) w.put("k" + std::to_string(i % 12), ++n);
  };
  write();
  for (int i = 0; i < 3; ++i) {
    w.tables.split_shards("t");
    write();
  }
  follower f(w);
  f.run(seconds{15});
  CHECK(w.equal());
  for (int i = 0; i < 3; ++i) {
    w.tables.split_shards("t");
    write();
    f.run(milliseconds{700});
  }
  f.run(seconds{60});
  const report told = f.stopped();
  CHECK(told.changes->records == static_cast<std::uint64_t>(n));
  CHECK(told.changes->repeats == 0);
  CHECK(w.equal());
  CHECK(numbers_rise(w));
  CHECK(w.gaps().empty());
}

TEST_CASE("it goes on where it stopped, after a clean stop at once") {
  follow_world w;
  for (int i = 0; i < 40; ++i) w.put("k" + std::to_string(i), i);
  follower first(w);
  first.run(seconds{10});
  first.stopped();
  w.put("k1", 1000);
  w.remove("k2");
  w.tables.split_shards("t");
  w.put("k3", 1001);
  w.time.advance_to(w.time.elapsed() + hours{5});
  follower second(w);
  second.run(seconds{10});
  const report told = second.stopped();
  CHECK(told.changes->records == 3);
  CHECK(w.equal());
  CHECK(w.gaps().empty());
}

TEST_CASE("another is refused while the lease is fresh, and takes over when its holder has died") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    std::string owner;
    {
      follower dying(w);
      w.put("a", 1);
      dying.run(seconds{20});
      owner = w.state().owner;
      w.put("a", 2);
      w.put("b", 1);
    }
    follower refused(w);
    refused.run(seconds{10});
    const std::string why = refusal(refused);
    CHECK(mentions(why, owner));
    CHECK(mentions(why, " s ago"));
    w.time.advance_to(w.time.elapsed() + recorder_lease::lifetime);
    follower heir(w);
    std::uint64_t before = 0;
    heir.run(seconds{20});
    before = heir.item_writes;
    CHECK(before == 0);  // what the dead one sent may still land
    heir.run(seconds{135});
    CHECK(w.equal());
    CHECK(heir.stopped().interrupted);
  }
}

TEST_CASE("an heir that is stopped while it waits does not give the lease back, and the next one waits as well") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    follow_and_die(w);
    const milliseconds last = renewed(w);
    w.time.advance_to(last + recorder_lease::lifetime + seconds{1});
    follower heir(w);
    heir.run(seconds{10});
    CHECK(heir.stopped().interrupted);
    CHECK(w.state().owner != "");
    w.time.advance_to(renewed(w) + recorder_lease::lifetime);
    follower next(w);
    next.run(last + seconds{150} - w.time.elapsed());
    CHECK_FALSE(next.over());
    CHECK(next.item_writes == 0);
    next.run(minutes{3});
    CHECK(w.equal());
    next.stopped();
    CHECK(w.state().owner == "");
  }
}

TEST_CASE("an heir that finds a loss while it waits renews the lease, and notes the loss when it may") {
  follow_world w;
  follow_and_die(w);
  w.call("DeleteTable", R"({"TableName":"t"})");
  w.time.advance_to(w.time.elapsed() + seconds{60});
  w.tables.create_table("t", {{"id", 'S'}}, "NEW_IMAGE");
  w.put("a", 3);
  follow_options wish;
  wish.adopt = true;
  follower heir(w, wish);
  heir.run(minutes{4});
  CHECK_FALSE(heir.over());
  CHECK(w.gaps().size() == 1);
  CHECK(w.equal());
  CHECK(heir.stopped().interrupted);
}

TEST_CASE("the lease is renewed while the end of a stream is looked into") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{10});
  w.switch_stream(false);
  w.switch_stream(true);
  w.put("a", 2);
  int slow = 0;
  f.delay = [&](const request& r) {
    for (const header& h : r.headers)
      if (h.value == "DynamoDB_20120810.DescribeTable" && ++slow <= 8) return seconds{45};
    return seconds{0};
  };
  f.run(minutes{4});
  CHECK_FALSE(f.over());
  CHECK(w.gaps().size() == 1);
  CHECK(w.equal());
  CHECK(f.stopped().interrupted);
}

TEST_CASE("a lease that cannot be renewed ends a run that waits for it") {
  follow_world w;
  follow_and_die(w);
  w.call("DeleteTable", R"({"TableName":"t"})");
  w.time.advance_to(w.time.elapsed() + recorder_lease::lifetime);
  w.tables.create_table("t", {{"id", 'S'}}, "NEW_IMAGE");
  follow_options wish;
  wish.adopt = true;
  follower heir(w, wish);
  bool taken = false;
  heir.refuse = [&](const request& r) {
    const bool renewal = taken && r.method == "PUT" && is_lease(r);
    taken = taken || (r.method == "PUT" && is_lease(r));
    return renewal ? 403 : 0;
  };
  heir.run(minutes{2});
  CHECK(taken);
  CHECK(heir.over());
  CHECK(mentions(failure(heir), "403"));
}

TEST_CASE("a write that was being retried when its follower was frozen is not sent again once another has taken over") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    w.put("a", 1);
    w.put("b", 1);
    follower frozen(w);
    frozen.run(seconds{20});
    frozen.refuse = [](const request& r) {
      return !is_lease(r) && (r.method == "PUT" || r.method == "DELETE") ? 503 : 0;
    };
    w.put("a", 2);
    w.remove("b");
    frozen.run(seconds{2});
    const std::uint64_t written = frozen.item_writes;
    CHECK(written > 3);
    w.time.advance_to(w.time.elapsed() + seconds{40});
    w.put("a", 3);
    w.put("b", 3);
    follower heir(w);
    heir.run(minutes{3});
    CHECK(w.equal());
    frozen.refuse = nullptr;
    frozen.run(seconds{20});
    CHECK(mentions(failure(frozen), "took over"));
    CHECK(frozen.item_writes == written);
    heir.run(seconds{20});
    CHECK(w.equal());
    CHECK(heir.stopped().interrupted);
  }
}

TEST_CASE("an old version of recorder.json that cannot be removed in time does not cost the lease") {
  follow_world w;
  follower f(w);
  f.delay = [](const request& r) {
    return r.method == "DELETE" && is_lease(r) ? milliseconds{minutes{2}} : milliseconds{0};
  };
  for (int i = 0; i < 30; ++i) {
    w.put("a", i);
    f.run(seconds{5});
    CHECK(w.equal());
  }
  f.delay = nullptr;
  f.run(minutes{2});
  CHECK(f.stopped().whole());
}

TEST_CASE("a look at the lease that hangs is given up in time") {
  follow_world w({.conditions_enforced = false});
  follower f(w);
  w.put("a", 1);
  f.run(seconds{12});
  int slow = 0;
  f.delay = [&](const request& r) {
    return r.method == "HEAD" && is_lease(r) && ++slow % 2 == 1 ? milliseconds{minutes{2}} : milliseconds{0};
  };
  for (int i = 0; i < 20; ++i) {
    w.put("a", i);
    f.run(seconds{5});
    CHECK(w.equal());
  }
  CHECK(slow > 4);
  CHECK(f.stopped().whole());
}

TEST_CASE("of two that start at the same moment one follows") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    w.put("a", 1);
    follower one(w), two(w);
    for (int i = 0; i < 6'000; ++i) {  // 3 ms each in turn
      one.run(milliseconds{3});
      two.run(milliseconds{3});
    }
    CHECK(one.over() != two.over());
    follower& loser = one.over() ? one : two;
    CHECK(mentions(refusal(loser), "is followed by"));
    CHECK(loser.item_writes == 0);
    (one.over() ? two : one).run(seconds{10});
    CHECK(w.equal());
  }
}

namespace {

/// One that has recorded a change, and stands still until its lease has run out.
struct frozen_follower {
  explicit frozen_follower(follow_world& w) : process(w) {
    w.put("a", 1);
    process.run(seconds{20});
    written = process.item_writes;
    w.pass(seconds{40});
  }
  void wakes_and_stops(seconds how_long) {
    process.run(how_long);
    CHECK(process.over());
    CHECK(mentions(failure(process), "took over"));
    CHECK(process.item_writes == written);
  }
  follower process;
  std::uint64_t written = 0;
};

}  // namespace

TEST_CASE("a follower that was frozen sees that another has taken over, and writes nothing more") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    frozen_follower frozen(w);
    follower heir(w);
    heir.run(seconds{150});
    for (int i = 0; i < 20; ++i) w.put("k" + std::to_string(i), i);
    heir.run(milliseconds{300});
    frozen.wakes_and_stops(seconds{5});
    heir.run(seconds{20});
    CHECK(w.equal());
    CHECK(heir.stopped().interrupted);
  }
}

TEST_CASE(
    "a follower that was frozen sees that another took over and gave the lease back: it does not go on from its own") {
  for (const bool conditions : {true, false}) {
    follow_world w({.conditions_enforced = conditions});
    frozen_follower frozen(w);
    w.put("a", 2);
    follower heir(w);
    heir.run(minutes{4});
    CHECK(heir.stopped().interrupted);
    CHECK(w.state().owner.empty());
    w.remove("a");
    frozen.wakes_and_stops(seconds{30});
    follower next(w);
    next.run(seconds{30});
    CHECK(w.equal());
    CHECK(next.stopped().interrupted);
  }
}

TEST_CASE("a follower that was frozen while nobody took over goes on, with new iterators") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{20});
  w.time.advance_to(w.time.elapsed() + minutes{40});
  w.put("a", 2);
  bool asked = false;
  f.watch = [&](const request& r) { asked = asked || mentions(r.body, "AFTER_SEQUENCE_NUMBER"); };
  f.run(seconds{20});
  CHECK(asked);
  CHECK(w.equal());
  CHECK(f.stopped().whole());
}

TEST_CASE("changes that were trimmed unread are a gap; what is left is recorded") {
  follow_world w;
  w.put("a", 1);
  w.put("b", 1);
  w.put("c", 1);
  follower first(w);
  first.run(seconds{10});
  first.stopped();
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 2);
  w.time.advance_to(w.time.elapsed() + hours{30});
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 3);
  follower second(w);
  second.run(seconds{10});
  const report told = second.stopped();
  CHECK(told.interrupted);
  CHECK_FALSE(told.whole());
  CHECK_FALSE(w.gaps().empty());
  CHECK(w.equal());
}

TEST_CASE("shards that came and went unread are a gap") {
  follow_world w;
  w.put("a", 1);
  follower first(w);
  first.run(seconds{10});
  first.stopped();
  w.put("a", 2);
  w.tables.split_shards("t");
  w.time.advance_to(w.time.elapsed() + hours{1});
  w.tables.split_shards("t");
  w.time.advance_to(w.time.elapsed() + hours{30});
  w.put("a", 3);
  follower second(w);
  second.run(seconds{10});
  CHECK_FALSE(second.stopped().whole());
  CHECK_FALSE(w.gaps().empty());
  CHECK(w.equal());
}

TEST_CASE("a disabled stream is read to its end; that is no gap, but not covered") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{10});
  w.put("a", 2);
  w.switch_stream(false);
  f.run(minutes{2});
  const report told = f.outcome();
  CHECK_FALSE(told.interrupted);
  CHECK(mentions(told.not_covered, "was disabled"));
  CHECK(w.gaps().empty());
  CHECK(w.equal());
  CHECK(w.state().ended);
  CHECK(w.state().owner == "");
}

TEST_CASE("a table that was deleted is recorded to its stream's end") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{10});
  w.remove("a");
  w.call("DeleteTable", R"({"TableName":"t"})");
  f.run(minutes{2});
  const report told = f.outcome();
  CHECK(mentions(told.not_covered, "deleted"));
  CHECK(told.changes->deletes == 1);
  CHECK(w.gaps().empty());
}

TEST_CASE("a stream that was replaced is read to its end, then the new one, with a gap in between") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{10});
  w.put("a", 2);
  w.switch_stream(false);
  w.put("unseen", 1);
  w.switch_stream(true);
  w.put("a", 3);
  f.run(minutes{2});
  CHECK_FALSE(f.over());
  const report told = f.stopped();
  CHECK(told.changes->records == 3);
  CHECK(mentions(told.not_covered, "gap"));
  CHECK(w.gaps().size() == 1);
  CHECK_FALSE(w.equal());
  follower again(w);
  w.put("unseen", 2);
  again.run(seconds{10});
  CHECK(again.stopped().whole());
  CHECK(w.equal());
}

TEST_CASE("a stream that was replaced while nobody followed is found out") {
  follow_world w;
  w.put("a", 1);
  follower first(w);
  first.run(seconds{10});
  first.stopped();
  w.put("a", 2);
  w.switch_stream(false);
  w.switch_stream(true);
  w.put("b", 1);
  follower second(w);
  second.run(minutes{1});
  const report told = second.stopped();
  CHECK(told.changes->records == 2);
  CHECK(w.gaps().size() == 1);
  CHECK(w.equal());
}

TEST_CASE("a table without a stream is refused, and gets one where that was asked for") {
  follow_world w({}, "");
  follower refused(w);
  refused.run(seconds{10});
  CHECK(mentions(refusal(refused), "--enable-stream"));
  CHECK(w.store.current(w.home.bucket, "").empty());
  follow_options wish;
  wish.enable_stream = true;
  follower f(w, wish);
  f.run(seconds{10});
  w.put("a", 1);
  f.run(seconds{10});
  CHECK(w.equal());
  CHECK(f.stopped().whole());
}

TEST_CASE("a stream without new images is refused by its view type") {
  follow_world w({}, "KEYS_ONLY");
  follower f(w);
  f.run(seconds{10});
  CHECK(mentions(refusal(f), "KEYS_ONLY"));
}

TEST_CASE("no shard is asked more than five times a second, an idle one about once") {
  follow_world w;
  follower f(w);
  f.run(seconds{10});
  int reads = 0;
  f.watch = [&](const request& r) {
    for (const header& h : r.headers) reads += h.value == "DynamoDBStreams_20120810.GetRecords";
  };
  f.run(seconds{20});
  CHECK(reads >= 2 * 15);  // two shards
  CHECK(reads <= 2 * 21);
  reads = 0;
  for (int i = 0; i < 100; ++i) {
    w.put("a", i);
    f.run(milliseconds{100});
  }
  CHECK(reads <= 2 * 50);
}

TEST_CASE("old versions of recorder.json do not pile up") {
  follow_world w;
  follower f(w);
  f.run(minutes{5});
  CHECK(w.store.versions(w.home.bucket, archive::recorder_key(w.home)).size() <= 3);
}

}  // namespace dynabackup::pipelines
