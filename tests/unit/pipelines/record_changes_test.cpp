#include "pipelines/record_changes.hpp"

#include <doctest/doctest.h>

#include "fakes/test_data.hpp"
#include "recorder_world.hpp"

using namespace dynabackup;
using fakes::recorder_process;
using fakes::recorder_world;

namespace {

constexpr const char* orders =
    R"({"Table":{"TableName":"Orders","TableStatus":"ACTIVE","TableArn":"arn:aws:dynamodb:us-east-1:123456789012:table/Orders",)"
    R"("CreationDateTime":1.7E9,"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},)"
    R"({"AttributeName":"sk","AttributeType":"N"}],"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},)"
    R"({"AttributeName":"sk","KeyType":"RANGE"}]}})";

struct function {
  recorder_world world;
  recorder_process process{world};
  pipelines::known_streams known;

  void table_is_asked_for() {
    process.table_network.expect([](const request& r) { CHECK(r.body.find("Orders") != std::string::npos); }, 200,
                                 orders);
  }
  report record(std::string event, record_options what = {}) {
    if (what.to.bucket.empty()) what.to = {"b", "p/"};
    return *process.conduct(
        pipelines::record_changes(process.run, pipelines::record_order{std::move(what), std::move(event), known}));
  }
};

std::string event(const std::string& name) {
  return fakes::file_text(fakes::own_data("events/ddb-stream-" + name + ".json"));
}

std::string object_of(const char* pk) {
  return "p/" + archive::object_name(std::string(R"({"pk":{"S":")") + pk + R"("},"sk":{"N":"1"}})");
}

}  // namespace

TEST_CASE("an event is recorded; bucket and table are looked at once") {
  function f;
  f.table_is_asked_for();
  const report first = f.record(event("batch-mixed"));
  REQUIRE(first.changes);
  CHECK(first.changes->records == 10);
  CHECK(first.changes->puts == 8);
  CHECK(first.changes->deletes == 2);
  CHECK_FALSE(first.changes->first_failed);
  CHECK(first.source == "Orders");
  CHECK(first.destination == "s3://b/p/");
  CHECK(f.world.store.versions("b", object_of("p1")).size() == 6);
  CHECK(f.world.store.versions("b", object_of("p2")).at(0).delete_marker());
  CHECK(f.world.store.current("b", "p/.dynabackup/").size() == 1);
  const std::size_t before = f.world.requests.size();
  const report again = f.record(event("duplicate-delivery"));
  CHECK(again.changes->repeats == 3);
  CHECK(again.changes->puts == 0);
  CHECK(f.world.requests.size() == before + 2);
}

TEST_CASE("the two spellings of one event give the same object") {
  function raw, escaped;
  raw.table_is_asked_for();
  escaped.table_is_asked_for();
  raw.record(event("unicode-raw"));
  escaped.record(event("unicode-escaped"));
  const auto one = raw.world.store.current("b", "p/");
  const auto other = escaped.world.store.current("b", "p/");
  REQUIRE(one.size() == 2);
  REQUIRE(other.size() == 2);
  for (const auto& [key, version] : one)
    if (!key.starts_with("p/.")) CHECK(*version.body == *other.at(key).body);
}

TEST_CASE("what each sample event comes to in the bucket") {
  struct sample {
    const char* name;
    std::uint64_t puts, deletes;
    const char* failed;
  };
  const sample samples[]{{"insert", 1, 0, ""},
                         {"modify", 1, 0, ""},
                         {"remove", 0, 1, ""},
                         {"ttl-remove", 0, 2, ""},
                         {"binary-and-sets", 1, 0, ""},
                         {"numbers", 1, 0, ""},
                         {"unicode-raw", 1, 0, ""},
                         {"new-image", 1, 1, ""},
                         {"timestamps", 5, 0, ""},
                         {"tumbling-window", 2, 0, ""},
                         {"unknown-fields", 1, 0, ""},
                         {"malformed-number", 0, 0, "100000000000003498070522"},
                         {"malformed-event-name", 0, 0, "100000000000003498070539"},
                         {"binary-keys", 0, 0, "100000000000003498070097"}};  // the table's key is S and N
  for (const sample& s : samples) {
    CAPTURE(s.name);
    function f;
    f.table_is_asked_for();
    const report done = f.record(event(s.name));
    CHECK(done.changes->puts == s.puts);
    CHECK(done.changes->deletes == s.deletes);
    CHECK(done.changes->first_failed.value_or("") == s.failed);
  }
  function f;
  f.table_is_asked_for();
  const report none = f.record(event("malformed-no-dynamodb"));
  CHECK(none.changes->first_failed == "");
  CHECK(none.changes->failure.find("without a sequence number") != std::string::npos);
}

TEST_CASE("an event without records needs nothing; what is no event is refused") {
  function f;
  CHECK(f.record(event("empty-records")).changes->records == 0);
  CHECK_THROWS_AS(f.record("{}"), format_error);
  CHECK_THROWS_AS(f.record(event("keys-only")), usage_error);
  CHECK(f.world.requests.empty());
}

TEST_CASE("the prefix may hold the table's name") {
  function f;
  f.table_is_asked_for();
  record_options what;
  what.to = {"b", "x/{table}/"};
  CHECK(f.record(event("insert"), what).destination == "s3://b/x/Orders/");
  CHECK(f.world.store.current("b", "x/Orders/").size() == 2);
}

TEST_CASE("a failed look at the bucket is made again with the next event") {
  function f;
  f.table_is_asked_for();
  f.world.plan = [](const request& r) {
    return r.target.find("versioning") != std::string::npos ? fakes::failing : fakes::fine;
  };
  CHECK_THROWS_AS(f.record(event("insert")), service_error);
  f.world.plan = [](const request&) { return fakes::fine; };
  f.table_is_asked_for();
  CHECK(f.record(event("insert")).changes->puts == 1);
}
