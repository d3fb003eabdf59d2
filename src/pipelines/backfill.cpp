#include "pipelines/backfill.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/existing_object.hpp"
#include "pipelines/home.hpp"
#include "runtime/in_flight.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// The bucket's clock is coarse and its requests take time: a run counts as begun a little before its record.
constexpr std::chrono::minutes start_margin{5};

/// Front ends look for notices a few times a second: what a run will cost is shown before anything is paid for.
constexpr std::chrono::milliseconds time_to_read{250};

/// An item's body is held here, in case it must be put again, and in the request that carries it.
constexpr std::size_t copies = 2;

/// Prices of us-east-1, November 2026, in dollars: a PUT, one on-demand read unit.
constexpr double put_price = 0.005 / 1000, read_unit_price = 0.125 / 1'000'000;

bool has_new_images(const dynamodb::table_description& t) {
  return t.stream && t.stream->view_type.starts_with("NEW_");
}

std::string stream_label(const dynamodb::table_description& t) { return t.stream ? t.stream->label : std::string(); }

/// About two pages a segment; never fewer segments than may be read at once, and not so many that empty ones cost more
/// than they share out.
std::uint32_t choose_segments(const run_context& run, std::uint64_t table_bytes) {
  if (run.segments != 0) return static_cast<std::uint32_t>(run.segments);
  const std::uint64_t wanted = std::bit_ceil(table_bytes / (2u << 20) + 1);
  const std::uint64_t least = run.table_parallelism;
  return static_cast<std::uint32_t>(std::clamp(wanted, least, 16 * least));
}

struct stored_item {
  std::string key;   ///< canonical key, for the GetItem that judges
  std::string body;  ///< {"Item":…}
  std::string md5;
  std::string object;
};

struct backfill_run {
  run_context& run;
  backfill_options what;
  report out;
  dynamodb::table_description table;
  archive::run_record record;
  archive::canonicalizer canonical;
  byte_budget pages;
  byte_budget bodies;

  backfill_run(run_context& context, backfill_options options)
      : run(context),
        what(std::move(options)),
        // A page waits for the bodies made of it, a body only for the network: shares of their own keep them from
        // waiting for each other.
        pages(context.memory_bytes / 4),
        bodies(context.memory_bytes / 2) {}

  task<report> all() {
    out.operation = "backfill";
    out.source = what.table;
    out.destination = what.to.text();
    co_await prepare();
    auto everything = [this](runtime::in_flight& uploads) { return scan_table(uploads); };
    // More children than permits, so that one waiting for memory or a HEAD's answer does not idle a connection.
    co_await runtime::bounded(run.object_parallelism * 2, run.stop, everything);
    co_await finish();
    out.memory_bound = bodies.waits() > 0;
    co_return std::move(out);
  }

  task<void> prepare() {
    table = co_await require_table(run, what.table);
    co_await require_versioning(run, what.to, what.unversioned);
    const archive::descriptor mine = archive::describe(table);
    const bool claim = co_await check_home(run, what.to, mine, what.adopt);
    announce();
    co_await run.clock.sleep(time_to_read);
    record.id = new_run_id(run);
    record.table_arn = table.arn;
    record.stream_label = stream_label(table);
    record.conditional_writes = co_await probe_conditions(run, what.to, record.id);
    if (claim) co_await claim_home(run, what.to, mine, record.conditional_writes);
    // Written twice: the first write asks the bucket what time it is, and says about when until then.
    record.started = text::rfc3339(run.objects.service_time() - start_margin);
    const s3::time_point now = co_await save_run_record(run, what.to, record);
    record.started = text::rfc3339(now - start_margin);
    co_await save_run_record(run, what.to, record);
    if (table.item_count > 0) run.seen.expected_items = table.item_count;
  }

  void announce() {
    const double items = static_cast<double>(table.item_count);
    const double read_units = static_cast<double>(table.size_bytes) / 4096 / 2;
    run.seen.notices.push_back(fmt::format(
        "about to back up about {} items ({:.1f} MB by DescribeTable, which may be 6 hours old): {} PUTs, as "
        "many HEADs where the store does not enforce If-None-Match, {:.0f} read units, about ${:.2f} at list "
        "price",
        table.item_count, static_cast<double>(table.size_bytes) / 1e6, table.item_count, read_units,
        items * put_price + read_units * read_unit_price));
    if (!table.stream)
      run.seen.notices.push_back("the table has no stream: a one-off backup, changes during the run are not recorded");
  }

  task<void> scan_table(runtime::in_flight& uploads) {
    const std::uint32_t total = choose_segments(run, table.size_bytes);
    auto segments = [this, &uploads, total](runtime::in_flight& scans) {
      return start_segments(scans, uploads, total);
    };
    co_await runtime::bounded(run.table_parallelism, run.stop, segments);
  }

  task<void> start_segments(runtime::in_flight& scans, runtime::in_flight& uploads, std::uint32_t total) {
    for (std::uint32_t n = 0; n < total; ++n) co_await scans.start(scan_segment({n, total}, uploads));
  }

  task<void> scan_segment(dynamodb::segment part, runtime::in_flight& uploads) {
    std::optional<std::string> next;
    do {
      run.stop.check();
      const dynamodb::scan_page page = co_await run.tables.scan(what.table, part, next, &pages);
      for (std::size_t i = 0; i < page.size(); ++i) {
        byte_budget::charge charge = co_await bodies.acquire(
            copies * (page.item(i).size() + archive::body_head.size() + archive::body_tail.size()));
        stored_item item = store_form(page.item(i));
        charge.resize(copies * item.body.size());
        ++out.items_read;
        out.bytes_read += page.item(i).size();
        co_await uploads.start(upload(std::move(item), std::move(charge)));
      }
      next = page.next();
    } while (next);
  }

  /// The one copy of an item: from the page straight into the body that leaves.
  stored_item store_form(std::string_view item) {
    stored_item s;
    s.body.reserve(item.size() + archive::body_head.size() + archive::body_tail.size());
    s.body = archive::body_head;
    try {
      canonical.item_and_key(item, table.key, s.body, s.key);
    } catch (const format_error& e) {
      throw format_error("table " + what.table +
                         " gave an item that cannot be stored without changing it: " + e.what());
    }
    s.body += archive::body_tail;
    s.md5 = crypto::md5_hex(s.body);
    s.object = what.to.key(archive::object_name(s.key));
    return s;
  }

  task<void> upload(stored_item item, byte_budget::charge charge) {
    existing_object judge{run, what.to.bucket, what.table, record.started};
    const std::size_t bytes = item.body.size();
    s3::put_options options;
    options.meta = {{meta::source, meta::from_backfill}, {meta::md5, item.md5}, {meta::run, record.id}};
    options.if_none_match = record.conditional_writes;
    for (int round = 0;; ++round) {
      standing there = standing::nothing;
      if (!record.conditional_writes) {
        there = co_await judge.look(item.object, item.key, item.md5, canonical);
      }
      if (there == standing::nothing) {
        const s3::put_result put = co_await run.objects.put_object(what.to.bucket, item.object, item.body, options);
        if (put.stored) {
          ++out.items_written;
          out.bytes_written += bytes;
          break;
        }
        there = co_await judge.look(item.object, item.key, item.md5, canonical);
        if (there == standing::nothing) {
          // Deleted between our 412 and the look: the table decides whether the item is still to be stored.
          const bool wanted = co_await judge.table_still_has(item.key, item.md5, canonical);
          if (wanted && round < 3) continue;
          there = wanted ? standing::different : standing::newer;
        }
      }
      count(there, item);
      break;
    }
    ++run.seen.items;
    run.seen.bytes += bytes;
    charge.release();
  }

  void count(standing there, const stored_item& item) {
    if (there != standing::different) {
      ++out.items_present;
      return;
    }
    ++out.items_differing;
    out.add(
        {"differs", item.object, 0,
         "the object there is not what the table holds and no recorded change explains it; it was left alone. `heal` "
         "(planned) will compare and repair; a backfill into an empty prefix is exact"});
  }

  task<void> finish() {
    const dynamodb::table_description end = co_await run.tables.describe_table(what.table);
    const bool same_table =
        archive::compare(archive::describe(end), archive::describe(table)) == archive::kinship::same;
    const bool same_stream = stream_label(end) == record.stream_label;
    // Saved once more while still open: the bucket says when the run ended.
    record.ended = text::rfc3339(co_await save_run_record(run, what.to, record));
    record.finished = true;
    record.changes_recorded = same_stream && has_new_images(table);
    // Only a recorder deletes objects; where there is no stream there is none, and no deletion to undo.
    record.swept = same_table && same_stream && !table.stream;
    record.items = out.items_read;
    record.written = out.items_written;
    record.present = out.items_present;
    record.differing = out.items_differing;
    if (!same_table)
      out.not_covered = "the table was replaced while the backfill ran; run it again with --adopt";
    else if (!same_stream)
      out.not_covered =
          "the table's stream was switched on, off or over while the backfill ran: changes may be missing; "
          "run the backfill again";
    else if (table.stream && !has_new_images(table))
      out.not_covered = "the table's stream has view type " + table.stream->view_type +
                        ", without new images: changes cannot be recorded. Use NEW_IMAGE or NEW_AND_OLD_IMAGES";
    else if (table.stream)
      out.not_covered =
          "the table has a stream and this run was not swept: an item that was deleted while it ran may have "
          "come back in the backup; this version cannot prove otherwise";
    else
      out.warnings.push_back("one-off backup: the table has no stream, changes during the run were not recorded");
    co_await save_run_record(run, what.to, record);
    take_counters(run.seen, out);
  }
};

}  // namespace

task<report> backfill(run_context& run, backfill_options what) {
  backfill_run work(run, std::move(what));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
