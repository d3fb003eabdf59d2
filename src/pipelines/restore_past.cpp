#include "pipelines/restore_past.hpp"

#include <optional>
#include <utility>

#include "archive/object_name.hpp"
#include "archive/snapshot_line.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/bucket_state.hpp"
#include "pipelines/home.hpp"
#include "pipelines/item_batch.hpp"
#include "pipelines/prices.hpp"
#include "runtime/semaphore.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

struct past_run {
  run_context& run;
  past_restore_options what;
  report out;
  dynamodb::table_description table;
  byte_budget bodies;
  byte_budget batches;
  bucket_state state;
  restore_progress progress;
  batch_writer writer;
  // Objects come in any order, many at a time, and fill one batch: each item has its turn.
  runtime::semaphore turns{1};
  std::optional<archive::line_reader> reader{};
  std::optional<restore_target> to{};
  std::optional<item_batch> batch{};
  std::string item{}, key{};

  past_run(run_context& context, past_restore_options options)
      : run(context),
        what(std::move(options)),
        // A body waits for its batch, a batch only for the network.
        bodies(context.memory_bytes / 2),
        batches(context.memory_bytes / 4),
        state(run, out, {what.from, what.at, what.accept_incomplete}, bodies),
        progress(run, {}),
        writer(run, out, progress, [this](std::string_view refused, std::uint64_t) { return object_of(refused); }) {}

  task<report> all() {
    out.operation = "restore";
    out.source = what.from.text();
    out.destination = what.table;
    co_await prepare();
    if (what.dry_run) {
      co_await count();
    } else {
      co_await state.survey();
      run.seen.notices.push_back("the state at " + text::rfc3339(*state.at()) +
                                 ": if this is interrupted, run it again with --at and that time");
      auto everything = [this](runtime::in_flight& writes) { return write(writes); };
      co_await runtime::bounded(run.table_parallelism, run.stop, everything);
      co_await progress.wait_out_late_writes();
    }
    out.memory_bound = bodies.waits() > 0 || batches.waits() > 0;
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  task<void> prepare() {
    table = co_await require_table(run, what.table);
    co_await state.begin();
    if (state.table().key != table.key)
      throw usage_error(what.from.text() + " holds items with key " + spell_key(state.table().key) + ", table " +
                        what.table + " has key " + spell_key(table.key) + ": create the table with the same key");
    co_await state.judge();
    reader.emplace(table.key);
  }

  task<void> count() {
    plan& p = out.planned.emplace();
    co_await state.count(p);
    plan_writes(p);
    p.object_requests = p.items;
    p.dollars = p.write_units * prices::write_unit + static_cast<double>(p.object_requests) * prices::get;
  }

  task<void> write(runtime::in_flight& writes) {
    to.emplace(restore_target{run, out, what.table, table.key, writer, progress, writes, bodies, batches});
    batch.emplace(*to, progress.begin_lines());
    try {
      co_await state.read(run.object_parallelism, [this](const s3::listed_version& which, const std::string& body) {
        return take(which, body);
      });
    } catch (const format_error& e) {
      throw format_error(std::string(e.what()) + ". Some of the other items were written already");
    }
    co_await batch->send();
  }

  task<void> take(const s3::listed_version& which, const std::string& body) {
    const runtime::semaphore::permit turn = co_await turns.acquire();
    parse(which, body);
    if (!batch->fits(item.size())) co_await batch->send();
    co_await batch->add(item, 0);
    batch->take_line();
  }

  void parse(const s3::listed_version& which, const std::string& body) {
    item.clear();
    key.clear();
    try {
      reader->read(body, item, key);
      if (which.key != what.from.key(archive::object_name(key))) throw format_error("it is named after another item");
    } catch (const format_error& e) {
      throw format_error("s3://" + what.from.bucket + "/" + which.key + " cannot be restored: " + e.what());
    }
  }

  /// A refused item is named by the object it came from.
  finding object_of(std::string_view refused) {
    std::string its_item, its_key;
    archive::canonicalizer{}.item_and_key(refused, table.key, its_item, its_key);
    return {.kind = {}, .object = what.from.key(archive::object_name(its_key)), .line = 0, .detail = {}};
  }
};

}  // namespace

task<report> restore_past(run_context& run, past_restore_options what) {
  past_run work(run, std::move(what));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
