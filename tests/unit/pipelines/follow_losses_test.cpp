// What a follower may have missed is a gap, whatever happened to it; what it has not missed is none.
#include <algorithm>
#include <array>
#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "follow_world.hpp"

namespace dynabackup::pipelines {
namespace {

bool mentions(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

std::string failure(follower& f) {
  try {
    f.outcome();
  } catch (const error& e) {
    return e.what();
  }
  return {};
}

bool writes_a_gap(const request& r) { return r.method == "PUT" && mentions(r.target, "gaps/"); }
bool writes_an_item(const request& r) { return r.method == "PUT" && !mentions(r.target, ".dynabackup"); }
bool asks_for(const request& r, const std::string& call) {
  for (const header& h : r.headers)
    if (h.value == "DynamoDBStreams_20120810." + call) return true;
  return false;
}

[[noreturn]] void lost_before_it_was_sent() {
  throw transport_error("s3.test", transport_error::stage::before_send, "refused");
}

s3::time_point read_at(const follow_world& w) { return text::parse_rfc3339(w.state().read_at).value(); }

/// Somebody follows for a while and stops.
report follows(follow_world& w, milliseconds how_long = seconds{15}) {
  follower f(w);
  f.run(how_long);
  return f.stopped();
}

}  // namespace

TEST_CASE("no saved position passes a loss whose gap could not be written yet") {
  follow_world w;
  w.put("a", 1);
  follows(w);
  w.put("a", 2);
  w.tables.split_shards("t");
  w.pass(hours{22});
  const s3::time_point before = read_at(w);
  w.pass(hours{3});  // nothing is left of the shards that are known
  {
    follower dying(w);
    dying.watch = [](const request& r) {
      if (writes_a_gap(r)) lost_before_it_was_sent();
    };
    dying.run(seconds{40});
    const auto shards = w.state().shards;
    CHECK(std::any_of(shards.begin(), shards.end(), [](const auto& each) { return !each.done; }));
    CHECK(read_at(w) == before);
  }
  CHECK(w.gaps().empty());
  w.pass(minutes{2});
  follower heir(w);
  heir.run(minutes{3});
  CHECK_FALSE(heir.stopped().whole());
  CHECK_FALSE(w.gaps().empty());
}

TEST_CASE("a shard that is listed no more is not done with in the bucket before its gap is there") {
  follow_world w;
  w.put("a", 1);
  follows(w);
  follower dying(w);
  dying.instead = [](const request& r) -> std::optional<response> {
    if (!asks_for(r, "DescribeStream")) return std::nullopt;
    response none;
    none.status = 200;
    none.body = R"({"StreamDescription":{"StreamStatus":"ENABLED","StreamViewType":"NEW_IMAGE","Shards":[]}})";
    return none;
  };
  dying.watch = [](const request& r) {
    if (writes_a_gap(r)) lost_before_it_was_sent();
  };
  dying.run(minutes{5});
  const auto shards = w.state().shards;
  CHECK(shards.size() == 2);
  CHECK(std::none_of(shards.begin(), shards.end(), [](const auto& each) { return each.done; }));
  CHECK(w.gaps().empty());
}

TEST_CASE("starts that come to nothing do not make a checkpoint younger") {
  follow_world w;
  follows(w);
  const s3::time_point before = read_at(w);
  w.put("unread", 1);
  w.pass(hours{20});
  {
    follower failing(w);
    failing.watch = [](const request& r) {
      if (asks_for(r, "DescribeStream")) lost_before_it_was_sent();
    };
    failing.run(seconds{20});
    CHECK(read_at(w) == before);
  }
  w.pass(hours{10});
  w.put("b", 1);
  follower late(w);
  late.run(minutes{3});
  CHECK_FALSE(late.stopped().whole());
  REQUIRE(w.gaps().size() == 1);
  CHECK(mentions(w.gaps()[0], R"("from": ")" + text::rfc3339(before)));
}

TEST_CASE("who comes late twice leaves two gaps") {
  follow_world w;
  follows(w);
  for (int i = 0; i < 2; ++i) {
    w.put("unread", i);
    w.pass(hours{30});
    CHECK_FALSE(follows(w).whole());
  }
  CHECK(w.gaps().size() == 2);
}

TEST_CASE("who follows has read until a moment ago, who is idle too") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  for (int i = 0; i < 3; ++i) {
    f.run(hours{3});
    CHECK(std::chrono::floor<milliseconds>(w.time.wall()) - read_at(w) < minutes{1});
  }
  CHECK(f.stopped().whole());
  CHECK(w.gaps().empty());
}

TEST_CASE("what was polled but not recorded is not read, and is a gap when it is trimmed") {
  follow_world w;
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 1);
  follows(w);
  const s3::time_point before = read_at(w);
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 2);
  w.pass(hours{20});
  {
    follower stuck(w);
    stuck.watch = [](const request& r) {
      if (writes_an_item(r)) lost_before_it_was_sent();
    };
    stuck.run(seconds{30});
  }
  CHECK(read_at(w) - before < minutes{1});
  w.pass(hours{6});
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 3);
  follower late(w);
  late.run(minutes{3});
  CHECK_FALSE(late.stopped().whole());
  CHECK_FALSE(w.gaps().empty());
  CHECK(w.equal());
}

TEST_CASE("an old position that nothing came after is no loss for who was there lately") {
  follow_world w;
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 1);
  follower first(w);
  first.run(hours{25});
  CHECK(first.stopped().whole());
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 2);
  w.pass(hours{2});
  CHECK(follows(w).whole());
  CHECK(w.gaps().empty());
  CHECK(w.equal());
}

TEST_CASE("a first start after a backfill that cannot count on it leaves a gap, and is not held to more later") {
  struct prior {
    const char* what;
    std::function<void(follow_world&)> make;
    const char* told;
  };
  const std::array cases{
      prior{"none", [](follow_world&) {}, ""},
      prior{"of this stream", [](follow_world& w) { w.backfilled("r1", hours{22}, w.stream_label()); }, ""},
      prior{"too old", [](follow_world& w) { w.backfilled("r1", hours{24}, w.stream_label()); }, "keeps a day"},
      prior{"of another stream", [](follow_world& w) { w.backfilled("r1", hours{1}, "2020-01-01T00:00:00.000"); },
            "before this one"},
      prior{"without a stream", [](follow_world& w) { w.backfilled("r1", hours{1}, ""); }, "before the table had"},
      prior{"an old one behind a good one",
            [](follow_world& w) {
              w.backfilled("r1", hours{50}, "");
              w.backfilled("r2", hours{1}, w.stream_label());
            },
            ""},
  };
  for (const prior& p : cases) {
    CAPTURE(p.what);
    follow_world w;
    w.pass(hours{1});
    p.make(w);
    w.put("a", 1);
    const report told = follows(w);
    CHECK(told.whole() == std::string(p.told).empty());
    REQUIRE(w.gaps().size() == (told.whole() ? 0 : 1));
    if (!told.whole()) {
      CHECK(mentions(w.gaps()[0], p.told));
      CHECK(mentions(w.gaps()[0], w.stream_label()));
    }
    CHECK(follows(w).whole());
    CHECK(w.equal());
  }
}

TEST_CASE("a first start that never saw the stream has not begun") {
  follow_world w;
  {
    follower failing(w);
    failing.watch = [](const request& r) {
      if (asks_for(r, "DescribeStream")) lost_before_it_was_sent();
    };
    failing.run(seconds{20});
  }
  w.pass(hours{30});
  w.put("a", 1);
  follower f(w);
  f.run(minutes{3});
  CHECK(f.stopped().whole());
  CHECK(w.gaps().empty());
  CHECK(w.equal());
}

TEST_CASE("a stream that is not known where it is asked for, though the table has it, is an error and no gap") {
  for (const bool followed_before : {false, true}) {
    follow_world w;
    w.put("a", 1);
    if (followed_before) follows(w);
    follower f(w);
    f.instead = [](const request& r) -> std::optional<response> {
      if (!asks_for(r, "DescribeStream")) return std::nullopt;
      response unknown;
      unknown.status = 400;
      unknown.body = R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no stream"})";
      return unknown;
    };
    f.run(minutes{5});
    REQUIRE(f.over());
    CHECK(mentions(failure(f), "--dynamodb-streams-endpoint"));
    CHECK(w.gaps().empty());
  }
}

TEST_CASE("a table that was recreated while it is followed is not recorded over the one before") {
  follow_world w;
  w.put("a", 1);
  follower f(w);
  f.run(seconds{10});
  w.call("DeleteTable", R"({"TableName":"t"})");
  w.time.advance_to(w.time.elapsed() + milliseconds{100});
  w.tables.create_table("t", {{"id", 'S'}}, "NEW_IMAGE");
  w.put("of the new one", 1);
  f.run(minutes{2});
  REQUIRE(f.over());
  CHECK(mentions(f.outcome().not_covered, "--adopt"));
  CHECK(w.gaps().size() == 1);
  CHECK(w.state().ended);
  CHECK(w.store.current(w.home.bucket, w.home.key(archive::object_name(R"({"id":{"S":"of the new one"}})"))).empty());
  follow_options adopting;
  adopting.adopt = true;
  follower again(w, adopting);
  again.run(seconds{20});
  again.stopped();
  CHECK(w.gaps().size() == 1);
}

TEST_CASE("a follower that slept longer than a stream keeps tells the loss, of shards without a position too") {
  follow_world w;
  follower f(w);
  f.run(seconds{20});
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 1);
  w.pass(hours{30});
  for (const char* id : {"a", "b", "c", "d", "e"}) w.put(id, 2);
  f.run(minutes{1});
  CHECK_FALSE(f.stopped().whole());
  CHECK_FALSE(w.gaps().empty());
  CHECK(w.equal());
}

}  // namespace dynabackup::pipelines
