#include <algorithm>
#include <random>

#include "unit/pipelines/past_world.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;
using namespace std::chrono_literals;

namespace {

using state = std::map<std::string, std::string>;

std::set<std::string> lines_of(const state& items) {
  std::set<std::string> lines;
  for (const auto& [id, value] : items) lines.insert(past_world::line(id, value));
  return lines;
}

}  // namespace

TEST_CASE("the state at the end of every second of a random history, whatever the pages") {
  for (const int page : {1, 3, 7, 1000}) {
    past_world w(true, page);
    w.backfilled();
    std::mt19937 dice(static_cast<unsigned>(page));
    state truth;
    std::map<std::chrono::sys_seconds, state> known;
    for (int change = 0; change < 150; ++change) {
      const std::string id = "i" + std::to_string(dice() % 25);
      if (dice() % 4 == 0) {
        w.remove(id);
        truth.erase(id);
      } else {
        w.put(id, truth[id] = std::to_string(change));
      }
      known[w.second()] = truth;
      w.pass(std::chrono::milliseconds{dice() % 900});
    }
    w.pass(1h);
    for (const auto& [second, items] : known) {
      const report told = w.at(second);
      CHECK(w.lines() == lines_of(items));
      CHECK(told.items_written == items.size());
      CHECK(told.whole());
      CHECK(w.manifest().at == text::rfc3339(second));
      CHECK(w.manifest().covered);
    }
  }
}

TEST_CASE("versions are read by their ids, and only those of the state") {
  past_world w;
  const std::string old = w.put("a", "old");
  w.backfilled();
  const auto then = w.second();
  w.pass(2min);
  w.put("a", "new");
  w.put("b", "new");
  w.pass(1h);
  w.network.asked.clear();
  w.at(then);
  CHECK(w.lines() == std::set{past_world::line("a", "old")});
  std::vector<std::string> reads = w.network.asked;
  std::erase_if(reads, [](const std::string& r) { return !has(r, "GET /b/p/") || has(r, ".dynabackup"); });
  CHECK(reads == std::vector{"GET /b/" + past_world::key("a") + "?versionId=" + old});
}

TEST_CASE("names that are none of ours are counted as they were then, and bookkeeping is stepped over") {
  past_world w(true, 2);
  w.backfilled();
  w.put("a", "1");
  for (const char* name : {"p/!first", "p/a-name", "p/zz", "p/5", "p/.dynabackup-not", "p/A"})
    w.store.put("b", name, "x", {});
  w.store.put("b", "p/gone", "x", {});
  w.store.remove("b", "p/gone");
  const auto then = w.second();
  w.pass(10s);
  w.store.put("b", "p/later", "x", {});
  for (int i = 0; i < 50; ++i) w.store.put("b", "p/.dynabackup/recorder.json", std::to_string(i), {});
  w.pass(1h);
  w.network.asked.clear();
  const report told = w.at(then);
  CHECK(told.objects_skipped == 6);
  CHECK_FALSE(told.whole());
  CHECK(w.lines().size() == 1);
  CHECK(std::ranges::count_if(w.network.asked, [](const std::string& r) { return has(r, "recorder.json"); }) == 0);
}

TEST_CASE("a span counts back from the bucket's clock, not from ours") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  w.pass(1h);
  w.put("a", "2");
  w.pass(1h);
  // The bucket's answers carry its own time; the process's clock is a day ahead.
  fake_clock ours;
  ours.wall = w.t.clock.wall + 24h;
  pipelines::run_context run = {w.t.tables,
                                w.t.streams,
                                w.objects,
                                w.objects,
                                ours,
                                w.t.stop,
                                w.t.seen,
                                4,
                                4,
                                0,
                                std::size_t{32} << 20,
                                pipelines::usual_part_bytes,
                                w.t.reads,
                                w.t.writes,
                                [] { return 0.5; },
                                [](double) {}};
  const report told = run_task(pipelines::snapshot(run, w.options({std::nullopt, 90min})));
  CHECK(w.lines() == std::set{past_world::line("a", "1")});
  CHECK(told.past->at == text::rfc3339(w.second() - 90min));
}

TEST_CASE("the future is refused as wrong usage, and a second that is not over yet is waited for") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  CHECK_THROWS_AS(w.at(w.second() + 1s), usage_error);
  CHECK(w.store.current("s", "").empty());
  const auto now = w.second();
  w.at(now);
  CHECK(w.second() >= now + 2s);
  CHECK(w.lines().size() == 1);
  w.take(w.options({std::nullopt, 0s}));
  CHECK(w.lines().size() == 1);
}

TEST_CASE("without a name the snapshot is named after its moment") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  const auto then = w.second();
  w.pass(1h);
  snapshot_options what = w.options({then, {}});
  what.name.clear();
  CHECK(w.take(what).destination == "s3://s/f/" + text::snapshot_name(then) + ".json");
}

TEST_CASE("a dry run counts the state of then and writes nothing") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  const auto then = w.second();
  w.pass(1h);
  w.put("b", "1");
  snapshot_options what = w.options({then, {}});
  what.dry_run = true;
  const report told = w.take(what);
  REQUIRE(told.planned);
  CHECK(told.planned->items == 1);
  CHECK(told.planned->bytes == past_world::line("a", "1").size());
  CHECK(w.store.current("s", "").empty());
}

TEST_CASE("the recorder's lag is that of the changes around the moment, and late changes are told") {
  past_world w;
  w.put("old", "1", 50s);
  w.backfilled();
  w.pass(10min);
  w.put("a", "1", 3s);
  w.put("b", "1", 1s);
  const auto then = w.second();
  w.pass(5s);
  w.put("c", "1", 20s);  // made before the moment, and not in its state
  w.put("d", "1", 2s);
  w.pass(5min);
  w.put("e", "1", 3min);
  w.pass(1h);
  const report told = w.at(then);
  REQUIRE(told.past);
  CHECK(told.past->changes == 4);
  CHECK(told.past->lag == 20s);
  CHECK(told.past->late == 1);
  CHECK(told.past->last_recorded == text::rfc3339(then));
  CHECK(told.warnings.size() == 1);
  CHECK(told.whole());
  const report quiet = w.at(then + 1min + 10s);
  CHECK(quiet.past->changes == 0);
  CHECK(quiet.past->lag == 20s);
  CHECK(quiet.past->last_recorded == text::rfc3339(then + 5s));
}

TEST_CASE("a recorder that stood still at the moment is told, however long, and costs a bounded number of looks") {
  past_world w;
  w.backfilled();
  w.put("a", "1", 1s);
  w.pass(1h);
  const auto then = w.second();
  w.pass(5h);
  for (int i = 0; i < 300; ++i) {
    w.put("i" + std::to_string(i), "1", 5h + 30min - i * 1s);
    w.pass(1s);
  }
  w.pass(1h);
  w.network.asked.clear();
  const report told = w.at(then);
  CHECK(told.past->late == 256);
  CHECK(told.past->lag == 5h + 30min);
  CHECK(w.lines().size() == 1);
  const auto is_look = [](const std::string& r) { return has(r, "HEAD") && has(r, "versionId"); };
  CHECK(std::ranges::count_if(w.network.asked, is_look) == 256);
}

TEST_CASE("a version that goes away while it is to be read makes the state doubtful") {
  past_world w;
  const std::string id = w.put("a", "1");
  w.backfilled();
  const auto then = w.second();
  w.pass(1h);
  bool done = false;
  w.network.before = [&](const request& r) {
    if (done || r.method != "GET" || !has(r.target, id)) return;
    done = true;
    request gone;
    gone.method = "DELETE";
    gone.target = r.target;
    CHECK(w.store.handle(gone).status == 204);
  };
  CHECK_THROWS_WITH_AS(w.at(then), doctest::Contains("removed while they were to be read"), error);
  CHECK(w.store.current("s", "").empty());
}

TEST_CASE("objects from before versioning are part of the state") {
  past_world w(false);
  w.put("a", "1");
  w.put("b", "1");
  w.pass(1min);
  w.versioning("Enabled");
  w.backfilled();
  const auto then = w.second();
  w.pass(1min);
  w.put("a", "2");
  w.pass(1h);
  CHECK(w.refusal(then) == "");
  CHECK(w.lines() == std::set{past_world::line("a", "1"), past_world::line("b", "1")});
}

TEST_CASE("what was written without versions since the moment makes its state doubtful") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  const auto then = w.second();
  w.pass(1h);
  w.versioning("Suspended");
  w.put("a", "2");
  w.versioning("Enabled");
  w.pass(1h);
  CHECK(has(w.refusal(then), "was written without a version of its own after that moment"));
  CHECK(w.lines() == std::set{past_world::line("a", "1")});
}
