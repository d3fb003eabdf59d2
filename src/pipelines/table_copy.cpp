#include "pipelines/table_copy.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/home.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

/// An item's body is held here, in case it must be put again, and in the request that carries it.
constexpr std::size_t copies = 2;
/// What is lost by a kill is read again, and found to be there: a few seconds of that are cheap.
constexpr std::chrono::seconds save_every{5};
/// A megabyte, eventually consistent (DynamoDB, "Capacity unit consumption for reads").
constexpr double full_page_units = 128;
constexpr int rounds = 4;

/// Made anew for every PUT, which takes it: in a copy each text would be allocated once more.
s3::put_options as_backfilled(const archive::run_record& record, const std::string& md5) {
  s3::put_options options;
  options.meta.emplace(meta::source, meta::from_backfill);
  options.meta.emplace(meta::md5, md5);
  options.meta.emplace(meta::run, record.id);
  options.if_none_match = record.conditional_writes;
  return options;
}

}  // namespace

struct table_copy::stored_item {
  std::string key;   ///< canonical key, for the GetItem that judges
  std::string body;  ///< {"Item":…}
  std::string md5;
  std::string object;
};

table_copy::table_copy(run_context& run, report& out, const dynamodb::table_description& table, s3_location to,
                       const archive::run_record& record, std::uint32_t segments)
    : run_(run),
      out_(out),
      table_(table),
      to_(std::move(to)),
      record_(record),
      progress_(segments),
      // A page waits for the bodies made of it, a body only for the network: shares of their own keep them from
      // waiting for each other.
      pages_(run.memory_bytes / 4),
      bodies_(run.memory_bytes / 2),
      page_units_(std::min(full_page_units, std::max(1.0, static_cast<double>(table.size_bytes) / 8192 / segments))) {}

void table_copy::resume(const archive::backfill_checkpoint& c) { progress_.resume(c); }

task<void> table_copy::all() {
  last_saved_ = run_.clock.steady_now();
  auto everything = [this](runtime::in_flight& uploads) -> task<void> {
    auto segments = [this, &uploads](runtime::in_flight& scans) { return start_segments(scans, uploads); };
    return runtime::bounded(run_.table_parallelism, run_.stop, segments);
  };
  // More children than permits, so that one waiting for memory or a HEAD's answer does not idle a connection.
  co_await runtime::bounded(run_.object_parallelism * 2, run_.stop, everything);
  out_.memory_bound = bodies_.waits() > 0;
}

task<void> table_copy::start_segments(runtime::in_flight& scans, runtime::in_flight& uploads) {
  const std::uint32_t total = progress_.segments();
  for (std::uint32_t n = 0; n < total; ++n)
    if (!progress_.done(n)) co_await scans.start(scan_segment({n, total}, uploads));
}

task<void> table_copy::scan_segment(dynamodb::segment part, runtime::in_flight& uploads) {
  std::optional<std::string> next = progress_.start(part.number);
  do {
    run_.stop.check();
    const dynamodb::scan_page page = co_await read_page(part, next);
    next = page.next();
    const std::shared_ptr<scan_progress::page> settling = progress_.begin(part.number, page.size(), next);
    for (std::size_t i = 0; i < page.size(); ++i) {
      byte_budget::charge charge = co_await bodies_.acquire(
          copies * (page.item(i).size() + archive::body_head.size() + archive::body_tail.size()));
      stored_item item = store_form(page.item(i));
      charge.resize(copies * item.body.size());
      ++out_.items_read;
      out_.bytes_read += page.item(i).size();
      co_await uploads.start(upload(std::move(item), std::move(charge), settling));
    }
  } while (next);
}

task<dynamodb::scan_page> table_copy::read_page(dynamodb::segment part, std::optional<std::string> start) {
  const double ceiling = run_.reads.ceiling();
  const double guess = ceiling > 0 ? std::min(page_units_, ceiling) : page_units_;
  co_await run_.reads.take(guess);
  dynamodb::scan_options options;
  options.budget = &pages_;
  // A read that is a little behind is mended by the stream's next changes; where none are recorded it would stay.
  options.consistent = record_.stream_label.empty();
  options.limit = page_limit();
  dynamodb::scan_page page = co_await run_.tables.scan(table_.name, part, std::move(start), options);
  run_.reads.settle(guess, page.consumed_capacity());
  if (page.consumed_capacity() > 0) page_units_ += (page.consumed_capacity() - page_units_) / 4;
  co_return page;
}

/// With a ceiling no page takes more than a second's worth of it.
std::uint64_t table_copy::page_limit() const {
  const double ceiling = run_.reads.ceiling();
  if (ceiling == 0 || ceiling >= 2 * full_page_units || table_.item_count == 0) return 0;
  const double bytes_a_unit = record_.stream_label.empty() ? 4096 : 8192;
  const double item_bytes =
      std::max(1.0, static_cast<double>(table_.size_bytes) / static_cast<double>(table_.item_count));
  return static_cast<std::uint64_t>(std::max(1.0, std::floor(ceiling * bytes_a_unit / item_bytes)));
}

/// The one copy of an item: from the page straight into the body that leaves.
table_copy::stored_item table_copy::store_form(std::string_view item) {
  stored_item s;
  s.body.reserve(item.size() + archive::body_head.size() + archive::body_tail.size());
  s.body = archive::body_head;
  try {
    canonical_.item_and_key(item, table_.key, s.body, s.key);
  } catch (const format_error& e) {
    throw format_error("table " + table_.name + " gave an item that cannot be stored without changing it: " + e.what());
  }
  s.body += archive::body_tail;
  s.md5 = crypto::md5_hex(s.body);
  s.object = to_.key(archive::object_name(s.key));
  return s;
}

task<void> table_copy::upload(stored_item item, byte_budget::charge charge, std::shared_ptr<scan_progress::page> page) {
  bool written = false;
  const standing there = co_await put(item, written);
  count(there, written, item, *page);
  ++run_.seen.items;
  run_.seen.bytes += item.body.size();
  charge.release();
  progress_.settled(*page);
  co_await save_if_due();
}

/// Stores the item unless something is there; `written` tells, and what is there is judged.
task<standing> table_copy::put(const stored_item& item, bool& written) {
  existing_object judge{run_, to_.bucket, table_.name, record_.started};
  for (int round = 1;; ++round) {
    standing there = standing::nothing;
    if (!record_.conditional_writes) there = co_await judge.look(item.object, item.key, item.md5, canonical_);
    if (there != standing::nothing) co_return there;
    const s3::put_result stored =
        co_await run_.objects.put_object(to_.bucket, item.object, item.body, as_backfilled(record_, item.md5));
    if (stored.unsettled) {
      unsettled_ = true;
      last_unsettled_ = run_.clock.steady_now();
    }
    written = stored.stored;
    if (written) co_return standing::equal;
    there = co_await judge.look(item.object, item.key, item.md5, canonical_);
    if (there != standing::nothing) co_return there;
    // Deleted between our 412 and the look: the table decides whether the item is still to be stored.
    const bool wanted = co_await judge.table_still_has(item.key, item.md5, canonical_);
    if (!wanted) co_return standing::newer;
    if (round == rounds) co_return standing::different;
  }
}

void table_copy::count(standing there, bool written, const stored_item& item, scan_progress::page& page) {
  if (written) {
    ++out_.items_written;
    ++page.counts.written;
    out_.bytes_written += item.body.size();
  } else if (there != standing::different) {
    ++out_.items_present;
    ++page.counts.present;
  } else {
    ++out_.items_differing;
    ++page.counts.differing;
    out_.add({"differs", item.object, 0,
              "the object there is not what the table holds and no recorded change explains it; it was left alone. "
              "`heal` (planned) will compare and repair; a backfill into an empty prefix is exact"});
  }
}

task<void> table_copy::save_if_due() {
  const auto now = run_.clock.steady_now();
  if (store_ == nullptr || saving_ || now - last_saved_ < save_every) co_return;
  co_await save_checkpoint();
}

task<void> table_copy::save_checkpoint() {
  if (store_ == nullptr) co_return;
  archive::backfill_checkpoint c;
  c.run = record_.id;
  c.table = archive::identify(table_);
  c.stream_label = record_.stream_label;
  c.started = record_.started;
  progress_.write(c);
  const auto silent = run_.clock.steady_now() - std::exchange(last_saved_, run_.clock.steady_now());
  saving_ = true;
  // Whoever was not heard of for long may have been closed by another run meanwhile: it says again that it is open.
  if (silent > sign_of_life / 2) co_await book_->save(record_);
  co_await store_->save(archive::write_checkpoint(c));
  saving_ = false;
}

}  // namespace dynabackup::pipelines
