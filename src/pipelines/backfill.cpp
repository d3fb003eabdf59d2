#include "pipelines/backfill.hpp"

#include <algorithm>
#include <bit>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <fmt/format.h>
#include <utility>

#include "archive/checkpoint.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/backfill_close.hpp"
#include "pipelines/backfill_resume.hpp"
#include "pipelines/home.hpp"
#include "pipelines/prices.hpp"
#include "pipelines/table_copy.hpp"
#include "runtime/shielded.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// The bucket's clock is coarse and its requests take time: a run counts as begun a little before its record.
constexpr std::chrono::minutes start_margin{5};

/// Front ends look for notices a few times a second: what a run will cost is shown before anything is paid for.
constexpr std::chrono::milliseconds time_to_read{250};

/// A run that ends badly saves where it was, but nobody waits long for that.
constexpr std::chrono::seconds time_to_save{5};

std::string stream_label(const dynamodb::table_description& t) { return t.stream ? t.stream->label : std::string(); }

/// About two pages a segment; never fewer segments than may be read at once, and not so many that empty ones cost more
/// than they share out.
std::uint32_t choose_segments(const run_context& run, std::uint64_t table_bytes) {
  if (run.segments != 0) return static_cast<std::uint32_t>(run.segments);
  const std::uint64_t wanted = std::bit_ceil(table_bytes / (2u << 20) + 1);
  const std::uint64_t least = run.table_parallelism;
  return static_cast<std::uint32_t>(std::clamp(wanted, least, 16 * least));
}

/// Reads of a table without a stream are consistent, which costs twice as much.
plan cost_of(const dynamodb::table_description& table, std::uint32_t segments) {
  plan p;
  p.items = table.item_count;
  p.bytes = table.size_bytes;
  p.read_units = static_cast<double>(table.size_bytes) / 4096 / (table.stream ? 2 : 1);
  p.table_requests = (table.size_bytes >> 20) + segments;
  p.object_requests = table.item_count;
  p.dollars = static_cast<double>(p.items) * prices::put + p.read_units * prices::read_unit;
  return p;
}

struct backfill_run {
  run_context& run;
  backfill_options what;
  report out{};
  dynamodb::table_description table{};
  archive::run_record record{};
  std::uint32_t segments = 0;
  bool claim = false;
  bool unversioned = false;
  std::optional<archive::backfill_checkpoint> resumed{};
  std::unique_ptr<checkpoint_store> store{};
  std::unique_ptr<run_book> book{};

  task<report> all() {
    out.operation = "backfill";
    out.source = what.table;
    out.destination = what.to.text();
    co_await look();
    if (what.dry_run) {
      out.planned = cost_of(table, segments);
      take_counters(run.seen, out);
      co_return std::move(out);
    }
    if (what.sweep_only)
      co_await sweep_behind_others();
    else
      co_await copy_table();
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  /// Everything that is checked before the first write.
  task<void> look() {
    table = co_await require_table(run, what.table);
    unversioned = !co_await require_versioning(run, what.to, what.unversioned);
    claim = co_await check_home(run, what.to, archive::describe(table), what.adopt);
    segments = choose_segments(run, table.size_bytes);
  }

  task<void> copy_table() {
    resumed = co_await find_checkpoint(run, what.to, table);
    if (resumed) segments = resumed->segments;
    announce();
    co_await run.clock.sleep(time_to_read);
    co_await open_run();
    table_copy copy(run, out, table, what.to, record, segments);
    store = checkpoint_in_bucket(run, what.to.bucket, archive::checkpoint_key(what.to, "backfill-" + record.id));
    if (resumed) take_up(copy);
    copy.save_to(*store, *book);
    std::exception_ptr failure;
    try {
      co_await copy.all();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      // A caller that was cancelled would not even begin to save.
      co_await boost::asio::this_coro::throw_if_cancelled(false);
      co_await runtime::shielded(save_quietly(copy), time_to_save);
      std::rethrow_exception(failure);
    }
    co_await finish(copy);
  }

  void take_up(table_copy& copy) {
    copy.resume(*resumed);
    out.items_resumed = resumed->items;
    out.items_read = resumed->items;
    out.items_written = resumed->written;
    out.items_present = resumed->present;
    out.items_differing = resumed->differing;
    run.seen.items = resumed->items;
    if (resumed->differing > 0)
      out.warnings.push_back(fmt::format(
          "{} of the objects that differ were found by run {} before it stopped; the next backfill names them",
          resumed->differing, resumed->run));
  }

  void announce() {
    if (resumed) {
      run.seen.notices.push_back(
          fmt::format("going on where run {} stopped, {} items are settled", resumed->run, resumed->items));
      return;
    }
    const plan p = cost_of(table, segments);
    run.seen.notices.push_back(fmt::format(
        "about to back up about {} items ({:.1f} MB by DescribeTable, which may be 6 hours old): {} PUTs, as "
        "many HEADs where the store does not enforce If-None-Match, {:.0f} read units, about ${:.2f} at list "
        "price",
        p.items, static_cast<double>(p.bytes) / 1e6, p.object_requests, p.read_units, p.dollars));
    if (!table.stream)
      run.seen.notices.push_back("the table has no stream: a one-off backup, changes during the run are not recorded");
  }

  task<void> open_run() {
    record.id = new_run_id(run);
    record.table_arn = table.arn;
    record.stream_label = stream_label(table);
    const store_conditions conditions = co_await probe_conditions(run, what.to, record.id);
    record.conditional_writes = conditions.if_none_match;
    if (claim) co_await claim_home(run, what.to, archive::describe(table), record.conditional_writes);
    // Written twice: the first write asks the bucket what time it is, and says about when until then.
    record.started = resumed ? resumed->started : text::rfc3339(run.objects.service_time() - start_margin);
    book = std::make_unique<run_book>(run, what.to, conditions.if_match);
    const s3::time_point now = co_await book->save(record);
    if (!resumed) {
      record.started = text::rfc3339(now - start_margin);
      co_await book->save(record);
    }
    if (table.item_count > 0) run.seen.expected_items = table.item_count;
  }

  /// The run has failed or was interrupted already: that is what is told, not that a checkpoint could not be saved.
  task<void> save_quietly(table_copy& copy) {
    bool failed = false;
    try {
      co_await copy.save_checkpoint();
    } catch (const error&) {
      failed = true;
    }
    if (failed) run.seen.notices.push_back("warning: the last checkpoint could not be saved; the one before counts");
  }

  task<void> finish(const table_copy& copy) {
    const dynamodb::table_description end = co_await run.tables.describe_table(what.table);
    const bool same_table =
        archive::compare(archive::describe(end), archive::describe(table)) == archive::kinship::same;
    const bool same_stream = stream_label(end) == record.stream_label;
    record.finished = true;
    record.changes_recorded = same_stream && has_new_images(table);
    record.items = out.items_read;
    record.written = out.items_written;
    record.present = out.items_present;
    record.differing = out.items_differing;
    tell(same_table, same_stream);
    if (same_table) {
      close_order order{what.to, table, record};
      // Only a recorder deletes objects; where there is no stream there is none, and no deletion to undo.
      order.recorded = table.stream.has_value() || end.stream.has_value();
      if (order.recorded && unversioned)
        out.not_covered += (out.not_covered.empty() ? "" : "; ") +
                           std::string(
                               "the bucket is not versioned: an item deleted while the backfill ran may have "
                               "come back, and nothing shows it");
      if (copy.unsettled()) order.late_until = copy.last_unsettled() + late_effects;
      co_await close_runs(run, std::move(order), *book, out);
    } else {
      co_await book->save(record);
    }
    co_await store->remove();
  }

  void tell(bool same_table, bool same_stream) {
    if (!same_table)
      out.not_covered = "the table was replaced while the backfill ran; run it again with --adopt";
    else if (!same_stream)
      out.not_covered =
          "the table's stream was switched on, off or over while the backfill ran: changes may be missing; "
          "run the backfill again";
    else if (table.stream && !has_new_images(table))
      out.not_covered = "the table's stream has view type " + table.stream->view_type +
                        ", without new images: changes cannot be recorded. Use NEW_IMAGE or NEW_AND_OLD_IMAGES";
    else if (!table.stream)
      out.warnings.push_back("one-off backup: the table has no stream, changes during the run were not recorded");
  }

  /// backfill --sweep.
  task<void> sweep_behind_others() {
    if (claim) throw usage_error(what.to.text() + " holds no backup of table " + table.name + ": nothing to sweep");
    close_order order{what.to, table, std::nullopt};
    order.recorded = true;
    const store_conditions conditions = co_await probe_conditions(run, what.to, new_run_id(run));
    book = std::make_unique<run_book>(run, what.to, conditions.if_match);
    co_await close_runs(run, std::move(order), *book, out);
  }
};

}  // namespace

bool has_new_images(const dynamodb::table_description& t) {
  return t.stream && t.stream->view_type.starts_with("NEW_");
}

task<report> backfill(run_context& run, backfill_options what) {
  backfill_run work{run, std::move(what)};
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
