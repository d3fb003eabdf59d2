#include "pipelines/backfill_close.hpp"

#include "unit/pipelines/past_world.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;
using namespace std::chrono_literals;

namespace {

/// A run that was left open ten seconds ago; `meanwhile` happens between the two looks for a sign of life.
struct run_left_open : past_world {
  run_left_open() {
    record = backfilled([](archive::run_record& r) { r.ended = "", r.finished = r.swept = false; });
    pass(10s);
  }
  void sweep(const std::function<void()>& meanwhile) {
    int looks = 0;
    network.before = [&, record_key = archive::run_key(home, record.id)](const request& r) {
      if (r.method == "HEAD" && r.target.ends_with(record_key) && ++looks == 2) meanwhile();
    };
    dynamodb::table_description table;
    table.name = "T";
    table.key = {{"id", 'S'}};
    table.created = "100";
    pipelines::run_book book(run, home, true);
    auto close = [&]() -> task<report> {
      report out;
      co_await pipelines::close_runs(run, {home, table, std::nullopt, true}, book, out);
      co_return out;
    };
    told = run_task(close());
    CHECK(looks == 2);
  }
  archive::run_record record;
  report told;
};

}  // namespace

TEST_CASE("a run that gives a sign of life while it is waited for is left alone, and it is said") {
  run_left_open w;
  w.sweep([&] {
    w.pass(1s);
    w.save(w.record);
  });
  CHECK(has(w.told.not_covered, w.record.id + " may still be running, and is left open"));
  CHECK(has(w.told.warnings.at(0), "will close itself"));
}

TEST_CASE("what looked like a sign of life was the end of the run: nothing is left to be said of it") {
  run_left_open w;
  w.sweep([&] {
    w.pass(1s);
    w.record.ended = w.now();
    w.record.swept = true;
    w.save(w.record);
  });
  CHECK(w.told.not_covered == "");
  CHECK(w.told.warnings == std::vector<std::string>{"no run was left open: nothing to sweep"});
}
