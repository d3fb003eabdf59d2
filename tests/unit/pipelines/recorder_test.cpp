#include "pipelines/recorder.hpp"

#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "pipelines/runs.hpp"
#include "recorder_world.hpp"

using namespace dynabackup;
using fakes::recorder_process;
using fakes::recorder_world;
using fakes::told;

namespace {

struct recording {
  recorder_world world;
  recorder_process process;
  explicit recording(record_options options = {}, bool conditions = true)
      : world(conditions), process(world, std::move(options)) {
    process.prepare();
    world.requests.clear();
  }
};

}  // namespace

TEST_CASE("each change is a version of its own, with its place in the stream, and a removal leaves a marker") {
  recording r;
  const recorded done = r.process.record({{"9", "a", "1"}, {"10", "a", "2"}, {"11", "b", "1"}, {"12", "b"}});
  CHECK(r.world.history("a") == "9=1 10=2");
  CHECK(r.world.history("b") == "11=1 x");
  CHECK(done.records == 4);
  CHECK(done.puts == 3);
  CHECK(done.deletes == 1);
  CHECK(done.repeats == 0);
  CHECK_FALSE(done.first_failed);
  CHECK(done.lag > std::chrono::seconds{3});
  const auto version = r.world.store.versions("b", recorder_world::key_of("a")).at(0);
  CHECK(*version.body == R"({"Item":{"id":{"S":"a"},"v":{"S":"2"}}})");
  CHECK(version.meta == std::map<std::string, std::string>{{"source", "stream"},
                                                           {"md5", crypto::md5_hex(*version.body)},
                                                           {"stream", "2026-03-01T00:00:00.000"},
                                                           {"sequence-number", "10"},
                                                           {"changed-at", "2026-11-22T11:45:00Z"}});
}

TEST_CASE("one look a key, one write a change") {
  recording r;
  r.process.record({{"1", "a", "1"}, {"2", "a", "2"}, {"3", "a"}, {"4", "b", "1"}});
  CHECK(r.world.requests.size() == 6);
  CHECK(std::count_if(r.world.requests.begin(), r.world.requests.end(),
                      [](const std::string& s) { return s.starts_with("HEAD"); }) == 2);
}

TEST_CASE("what is delivered again is recognised by its number, compared as a number") {
  recording r;
  r.process.record({{"9", "a", "1"}, {"10", "a", "2"}});
  const recorded again = r.process.record({{"9", "a", "1"}, {"10", "a", "2"}, {"11", "a", "3"}});
  CHECK(again.repeats == 2);
  CHECK(again.puts == 1);
  CHECK(r.world.history("a") == "9=1 10=2 11=3");
}

TEST_CASE("a batch delivered again after a removal stacks the same changes once more, the newest last") {
  recording r;
  r.process.record({{"1", "a", "1"}, {"2", "a"}});
  r.process.record({{"1", "a", "1"}, {"2", "a"}});
  CHECK(r.world.history("a") == "1=1 x 1=1 x");
}

TEST_CASE("a record twice in a batch, or out of order, never makes an older change the last") {
  recording r;
  const recorded done =
      r.process.record({{"1", "a", "1"}, {"1", "a", "1"}, {"3", "a"}, {"2", "a", "2"}, {"1", "a", "1"}});
  CHECK(r.world.history("a") == "1=1 2=2 x");
  CHECK(done.repeats == 2);
  CHECK(done.puts == 2);
  CHECK(done.deletes == 1);
}

TEST_CASE("a removal leaves a marker also over nothing") {
  recording r;
  CHECK(r.process.record({{"1", "a"}}).deletes == 1);
  CHECK(r.world.history("a") == "x");
}

TEST_CASE("what a backfill stored is overwritten by the stream") {
  recording r;
  r.world.put_by_backfill("a", "0");
  r.world.put_by_backfill("b", "0");
  r.process.record({{"1", "a", "1"}, {"2", "b"}});
  CHECK(r.world.history("a") == "?=0 1=1");
  CHECK(r.world.history("b") == "?=0 x");
}

TEST_CASE("a stream that was switched on later has told newer changes, an earlier one older") {
  recording r;
  std::map<std::string, std::string> meta{{"source", "stream"}, {"sequence-number", "1"}};
  const std::string body = R"({"Item":{"id":{"S":"a"},"v":{"S":"0"}}})";
  meta["stream"] = "2026-03-02T00:00:00.000";
  r.world.store.put("b", recorder_world::key_of("a"), body, meta);
  meta["stream"] = "2026-02-01T00:00:00.000";
  meta["sequence-number"] = "999";
  r.world.store.put("b", recorder_world::key_of("b"), body, meta);
  const recorded done = r.process.record({{"50", "a", "1"}, {"51", "b", "1"}});
  CHECK(r.world.history("a") == "1=0");
  CHECK(r.world.history("b") == "999=0 51=1");
  CHECK(done.repeats == 1);
}

TEST_CASE("coalesced, of a key's changes only the newest is written") {
  record_options options;
  options.coalesce = true;
  recording r(options);
  const recorded done =
      r.process.record({{"1", "a", "1"}, {"2", "a", "2"}, {"3", "b", "1"}, {"4", "b"}, {"5", "c", "1"}});
  CHECK(r.world.history("a") == "2=2");
  CHECK(r.world.history("b") == "x");
  CHECK(done.coalesced == 2);
  CHECK(done.puts == 2);
  CHECK(done.deletes == 1);
  CHECK_FALSE(done.first_failed);
}

TEST_CASE("a stream without new images is refused before anything is written") {
  recording r;
  for (const char* view : {"KEYS_ONLY", "OLD_IMAGE"}) {
    std::string event = fakes::event_of({told{"1", "a"}});
    event.replace(event.find("NEW_AND_OLD_IMAGES"), 18, view);
    CHECK_THROWS_WITH_AS(r.process.record(event), doctest::Contains(view), usage_error);
  }
  CHECK(r.world.requests.empty());
}

TEST_CASE("records of another stream are refused") {
  recording r;
  const std::string other = "arn:aws:dynamodb:us-east-1:123456789012:table/U/stream/2026-03-01T00:00:00.000";
  CHECK_THROWS_AS(r.process.record({{"1", "a", "1"}, {"2", "b", "1", other}}), usage_error);
  CHECK(r.world.requests.empty());
}

TEST_CASE("a record that cannot be read fails, its key stops there, and the others are recorded") {
  recording r;
  std::string bad = fakes::record_of({"2", "a", "2"});
  bad.replace(bad.find(R"({"S":"2"})"), 9, R"({"N":"z"})");
  const recorded done = r.process.record(fakes::event_of(
      {fakes::record_of({"1", "a", "1"}), bad, fakes::record_of({"3", "a", "3"}), fakes::record_of({"4", "b", "1"})}));
  CHECK(done.first_failed == "2");
  CHECK(done.failure.find("record 2 cannot be read") != std::string::npos);
  CHECK(r.world.history("a") == "1=1");
  CHECK(r.world.history("b") == "4=1");
  CHECK(r.world.kept("dead-letter/") == 0);
}

TEST_CASE("with dead letters it is kept as it came, once however often it comes, and leaves a gap") {
  record_options options;
  options.dead_letters = true;
  recording r(options);
  std::string bad = fakes::record_of({"2", "a", "2"});
  bad.replace(bad.find(R"({"S":"2"})"), 9, R"({"N":"z"})");
  const std::string event = fakes::event_of({fakes::record_of({"1", "a", "1"}), bad, fakes::record_of({"3", "a", "3"}),
                                             R"({"eventName":"INSERT"})", fakes::record_of({"4", "b", "1"})});
  for (int delivery = 0; delivery < 2; ++delivery) {
    const recorded done = r.process.record(event);
    CHECK_FALSE(done.first_failed);
    CHECK(done.dead_letters == 2);
    CHECK(r.world.history("a") == "1=1 3=3");
    CHECK(r.world.history("b") == "4=1");
    CHECK(r.world.kept("dead-letter/") == 2);
    CHECK(r.world.kept("gaps/") == 2);
  }
  const std::string name = "p/.dynabackup/dead-letter/2026-03-01T00-00-00.000-2.json";
  const auto letters = r.world.store.versions("b", name);
  REQUIRE(letters.size() == 1);
  CHECK(letters[0].body->find(bad) != std::string::npos);
  const auto covered = r.process.conduct(pipelines::coverage_of(r.process.run, {"b", "p/"}));
  CHECK(covered->missing.find("gaps/ is not empty") != std::string::npos);
}

TEST_CASE("keys that are not the table's, or not those of the image, are no key") {
  recording r;
  std::string other_key = fakes::record_of({"1", "a", "1"});
  other_key.replace(other_key.find(R"("NewImage":{"id":{"S":"a"})"), 26, R"("NewImage":{"id":{"S":"z"})");
  CHECK(r.process.record(fakes::event_of({other_key})).failure.find("another key") != std::string::npos);
  std::string more = fakes::record_of({"1", "a", "1"});
  more.replace(more.find(R"("Keys":{)"), 8, R"("Keys":{"x":{"S":"y"},)");
  CHECK(r.process.record(fakes::event_of({more})).first_failed == "1");
  std::string wrong_type = fakes::record_of({"1", "a"});
  wrong_type.replace(wrong_type.find(R"({"S":"a"})"), 9, R"({"N":"1"})");
  CHECK(r.process.record(fakes::event_of({wrong_type})).first_failed == "1");
  CHECK(r.world.history("a").empty());
}

TEST_CASE("a failed record without a number is reached from the one before it, else all are delivered again") {
  recording r;
  const std::string stranger = R"({"eventName":"INSERT"})";
  CHECK(r.process.record(fakes::event_of({fakes::record_of({"7", "a", "1"}), stranger})).first_failed == "7");
  CHECK(r.process.record(fakes::event_of({stranger, fakes::record_of({"8", "a", "2"})})).first_failed == "");
}

TEST_CASE("an interruption leaves the rest to be delivered again") {
  recording r;
  int puts = 0;
  r.world.before_effect = [&](const request& q) {
    if (q.method == "PUT" && ++puts == 1) r.process.stop.requested = true;
  };
  const recorded done = r.process.record({{"1", "a", "1"}, {"2", "a", "2"}, {"3", "a", "3"}});
  CHECK(r.world.history("a") == "1=1");
  CHECK(done.first_failed == "2");
  CHECK(done.failure == "interrupted");
  CHECK(done.puts == 1);
}

TEST_CASE("where a recorder may write is checked like where a backfill may") {
  recorder_world unversioned(true, false);
  recorder_process first(unversioned);
  CHECK_THROWS_AS(first.prepare(), usage_error);
  recorder_world foreign;
  foreign.store.put("b", "p/something", "x", {});
  recorder_process second(foreign);
  CHECK_THROWS_AS(second.prepare(), usage_error);
  recorder_world fresh;
  recorder_process third(fresh);
  third.prepare();
  CHECK(fresh.store.current("b", "p/.dynabackup/descriptor.json").size() == 1);
  CHECK(fresh.kept("probes/") == 0);
}

TEST_CASE("where the descriptor is there already, a new process asks it about conditions and leaves nothing behind") {
  for (const bool conditions : {true, false}) {
    recorder_world world(conditions);
    recorder_process(world).prepare();
    world.requests.clear();
    recorder_process second(world);
    second.prepare();
    CHECK(world.requests.size() == 4);
    CHECK(world.store.versions("b", "p/.dynabackup/descriptor.json").size() == (conditions ? 1 : 3));
    CHECK(world.kept("probes/") == 0);
    second.record({{"1", "a", "1"}, {"2", "a", "2"}});
    CHECK(world.history("a") == "1=1 2=2");
  }
}

TEST_CASE("the requests of a batch are bounded by parallelism") {
  recording r;
  std::vector<told> many;
  for (int i = 0; i < 100; ++i) many.push_back({std::to_string(i + 1), "k" + std::to_string(i), "v"});
  const recorded done = r.process.record(many);
  CHECK(done.puts == 100);
  CHECK(r.process.seen.peak_in_flight <= 8);
  CHECK(r.world.requests.size() == 200);
}
