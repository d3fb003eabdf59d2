#include "pipelines/restore_past.hpp"

#include <random>

#include "fakes/aws/fake_dynamodb.hpp"
#include "unit/pipelines/past_world.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;
using namespace std::chrono_literals;

namespace {

class table_network final : public transport {
 public:
  explicit table_network(fake_dynamodb& there) : there_(there) {}
  task<response> send(request& r) override {
    for (const header& h : r.headers)
      if (h.value == "DynamoDB_20120810.BatchWriteItem") ++writes;
    response answer = there_.handle(r);
    answer.body.reserve(answer.body.size() + response::body_padding);
    co_return answer;
  }
  int writes = 0;

 private:
  fake_dynamodb& there_;
};

/// The bucket of past_world, and a table to restore into.
struct restored_world : past_world {
  fake_dynamodb tables_there{[this] { return t.clock.wall; }};
  table_network to_tables{tables_there};
  dynamodb::client tables{to_tables, {.tls = false, .host = "tables.test", .port = 80}};
  pipelines::run_context writing = t.over(tables, objects);

  explicit restored_world(bool versioned = true, const dynamodb::key_schema& key = {{"id", 'S'}})
      : past_world(versioned) {
    tables_there.create_table("copy", key, "");
    writing.object_parallelism = 8;
  }
  report restore(moment at, bool accept = false, bool dry_run = false) {
    return run_task(pipelines::restore_past(
        writing, {.from = home, .at = at, .table = "copy", .accept_incomplete = accept, .dry_run = dry_run}));
  }
  std::string refused(moment at) {
    try {
      restore(at);
    } catch (const error& e) {
      return e.what();
    }
    return "";
  }
  std::map<std::string, std::string> restored() {
    std::map<std::string, std::string> values;
    for (const auto& [key, item] : tables_there.items("copy")) values.emplace(key, item);
    return values;
  }
};

std::string key_json(const std::string& id) { return R"({"id":{"S":")" + id + R"("}})"; }
std::string item_json(const std::string& id, const std::string& value) {
  return R"({"id":{"S":")" + id + R"("},"v":{"S":")" + value + R"("}})";
}

}  // namespace

TEST_CASE("what the bucket held at a second goes into the table, and what else is there stays") {
  restored_world w;
  w.backfilled();
  std::mt19937 dice(7);
  std::map<std::string, std::string> truth;
  for (int change = 0; change < 300; ++change) {
    const std::string id = "i" + std::to_string(dice() % 120);
    if (dice() % 4 == 0) {
      w.remove(id);
      truth.erase(key_json(id));
    } else {
      w.put(id, std::to_string(change));
      truth[key_json(id)] = item_json(id, std::to_string(change));
    }
  }
  const auto then = w.second();
  w.pass(1min);
  for (int later = 0; later < 120; ++later) w.put("i" + std::to_string(later), "later");
  w.tables_there.put("copy", item_json("other", "here before"));
  w.pass(1h);
  truth[key_json("other")] = item_json("other", "here before");

  const report told = w.restore({then, {}});
  CHECK(w.restored() == truth);
  CHECK(told.whole());
  CHECK(told.operation == "restore");
  CHECK(told.items_written == truth.size() - 1);
  CHECK(told.items_read == truth.size() - 1);
  REQUIRE(told.past);
  CHECK(told.past->at == text::rfc3339(then));
  CHECK(w.to_tables.writes == static_cast<int>((truth.size() - 1 + 24) / 25));
}

TEST_CASE("a dry run counts, asks for no item and writes none") {
  restored_world w;
  w.put("a", "1");
  w.put("b", "1");
  w.backfilled();
  const auto then = w.second();
  w.pass(1h);
  const report told = w.restore({then, {}}, false, true);
  REQUIRE(told.planned);
  CHECK(told.planned->items == 2);
  CHECK(told.planned->write_units == 2);
  CHECK(told.planned->table_requests == 1);
  CHECK(told.planned->object_requests == 2);
  CHECK(told.planned->dollars > 0);
  CHECK(w.restored().empty());
}

TEST_CASE("where the bucket cannot tell nothing is written, unless that is accepted") {
  restored_world w;
  w.put("a", "1");
  const auto then = w.second();
  w.pass(1min);
  w.backfilled();
  w.pass(1h);
  CHECK(has(w.refused({then, {}}), "no backfill had been finished by then"));
  CHECK(w.restored().empty());
  const report told = w.restore({then, {}}, true);
  CHECK(has(told.not_covered, "no backfill had been finished by then"));
  CHECK_FALSE(told.whole());
  CHECK(w.restored().size() == 1);
}

TEST_CASE("a table with another key is refused before anything is written") {
  restored_world w(true, {{"id", 'N'}});
  w.put("a", "1");
  w.backfilled();
  w.pass(1h);
  CHECK(has(w.refused({std::nullopt, 0s}), "create the table with the same key"));
  CHECK(w.restored().empty());
}

TEST_CASE("doubts that the listing raises come before the first write") {
  restored_world w;
  w.put("a", "1");
  w.put("b", "1");
  w.backfilled([](archive::run_record& r) {
    r.changes_recorded = false;
    r.stream_label.clear();
    r.items = 1;  // one of the two was deleted since an earlier backfill
  });
  w.pass(1h);
  CHECK(has(w.refused({std::nullopt, 0s}), "are still in the backup"));
  CHECK(w.restored().empty());

  restored_world overwritten;
  overwritten.put("a", "1");
  overwritten.backfilled();
  const auto then = overwritten.second();
  overwritten.pass(1h);
  overwritten.versioning("Suspended");
  overwritten.put("a", "2");
  overwritten.versioning("Enabled");
  overwritten.pass(1h);
  CHECK(has(overwritten.refused({then, {}}), "without a version of its own after that moment"));
  CHECK(overwritten.restored().empty());
  CHECK_FALSE(overwritten.restore({then, {}}, true).whole());
  CHECK(overwritten.restored().size() == 1);
}

TEST_CASE("an object that is named after another item is no item to restore") {
  restored_world w;
  w.store.put("b", past_world::key("a"), past_world::line("b", "1"), {{"source", "stream"}});
  w.backfilled();
  w.pass(1h);
  const std::string said = w.refused({std::nullopt, 0s});
  CHECK(has(said, past_world::key("a")));
  CHECK(has(said, "named after another item"));
  CHECK(w.restored().empty());
}

TEST_CASE("a refused item is named by its object and does not stop the others") {
  restored_world w;
  w.tables_there.traits().max_item_bytes = 200;
  for (int n = 0; n < 30; ++n) w.put("i" + std::to_string(n), n == 17 ? std::string(300, 'x') : "1");
  w.backfilled();
  w.pass(1h);
  const report told = w.restore({std::nullopt, 0s});
  CHECK(told.items_refused == 1);
  CHECK(told.items_written == 29);
  CHECK_FALSE(told.whole());
  REQUIRE(told.findings.size() == 1);
  CHECK(told.findings[0].kind == "refused");
  CHECK(told.findings[0].object == past_world::key("i17"));
  CHECK(w.restored().size() == 29);
}
