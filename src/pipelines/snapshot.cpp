#include "pipelines/snapshot.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/request_errors.hpp"
#include "pipelines/home.hpp"
#include "pipelines/prices.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/snapshot_writer.hpp"
#include "pipelines/upload_notes.hpp"
#include "runtime/in_flight.hpp"
#include "runtime/shielded.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// A page of 1,000 keys is read much faster than its objects: a few lists keep all readers busy.
constexpr std::size_t lists_at_once = 4;
/// A run that ends badly cleans up behind itself, but nobody waits long for that.
constexpr std::chrono::milliseconds time_to_abandon{5000}, time_to_abandon_stopped{1200};
constexpr std::string_view hex_digits = "0123456789abcdef";
/// U+10FFFF: "x" + this sorts behind every key that begins with "x".
constexpr const char* last_character = "\xf4\x8f\xbf\xbf";

std::string_view suffix(compression codec) {
  switch (codec) {
    case compression::gzip:
      return ".json.gz";
    case compression::zstd:
      return ".json.zst";
    case compression::none:
      break;
  }
  return ".json";
}

void check_name(const std::string& name) {
  const bool control = std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  if (name.empty() || name.size() > 800 || control || name.front() == '/' || name.back() == '/' ||
      name.starts_with(archive::bookkeeping) || name.find("//") != std::string::npos)
    throw usage_error("'" + name +
                      "' cannot be a snapshot's name: 1 to 800 bytes, no control characters, no '/' at either end");
}

struct snapshot_run {
  run_context& run;
  snapshot_options what;
  report out;
  archive::descriptor table;
  s3::time_point from;
  std::optional<std::uint64_t> one_off_items;
  byte_budget bodies;
  byte_budget parts;
  std::unique_ptr<snapshot_writer> writer;  // outlives the group that runs its uploads

  snapshot_run(run_context& context, snapshot_options options)
      : run(context),
        what(std::move(options)),
        // An object's body waits for room in a part, a part only for the network.
        bodies(context.memory_bytes / 4),
        parts(context.memory_bytes / 16 * 11) {}

  task<report> all() {
    out.operation = "snapshot";
    out.source = what.from.text();
    co_await prepare();
    if (what.dry_run) {
      co_await count();
      take_counters(run.seen, out);
      co_return std::move(out);
    }
    co_await abort_abandoned_uploads(run, what.to);
    auto everything = [this](runtime::in_flight& uploads) { return write_object(uploads); };
    std::exception_ptr failure;
    try {
      co_await runtime::bounded(run.object_parallelism, run.stop, everything);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      // Only now: while a part was on its way, aborting would have made its failure the one that is told.
      // A caller that was cancelled would not even begin to.
      co_await boost::asio::this_coro::throw_if_cancelled(false);
      if (writer && writer->unfinished())
        co_await runtime::shielded(writer->abandon(), run.stop.requested ? time_to_abandon_stopped : time_to_abandon);
      if (writer && writer->unfinished())
        run.seen.notices.push_back("warning: an unfinished upload of " + out.destination +
                                   " could not be aborted; a lifecycle rule for incomplete uploads removes it");
      std::rethrow_exception(failure);
    }
    out.memory_bound = bodies.waits() > 0;
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  task<void> prepare() {
    if (what.name.empty()) what.name = text::snapshot_name(run.clock.now()) + std::string(suffix(what.codec));
    check_name(what.name);
    out.destination = what.to.text() + what.name;
    std::optional<archive::descriptor> found = co_await find_descriptor(run, what.from);
    if (!found)
      throw not_found_error(
          what.from.text() + " holds no backup (no " + archive::descriptor_key(what.from) +
          " in the bucket): check INCREMENTAL_BUCKET and INCREMENTAL_PREFIX, or run `backfill` first");
    table = std::move(*found);
    const std::optional<s3::object_head> there =
        co_await run.objects.head_object(what.to.bucket, what.to.key(what.name));
    if (there && !what.overwrite)
      throw conflict_error("s3://" + what.to.bucket + "/" + what.to.key(what.name) + " exists",
                           ": choose another name or --overwrite");
    coverage known = co_await coverage_of(run, what.from);
    out.not_covered = std::move(known.missing);
    out.warnings = std::move(known.warnings);
    one_off_items = known.one_off_items;
    from = run.objects.service_time();
  }

  task<void> write_object(runtime::in_flight& uploads) {
    const snapshot_target target{what.to.bucket, what.to.key(what.name), what.to, what.codec, what.overwrite};
    writer = std::make_unique<snapshot_writer>(run, target, uploads, parts);
    auto objects = [this](runtime::in_flight& gets) { return list_everything(gets); };
    co_await runtime::bounded(run.object_parallelism, run.stop, objects);
    archive::manifest done = co_await writer->finish();
    co_await write_manifest(std::move(done));
    co_await writer->forget();
  }

  task<void> write_manifest(archive::manifest m) {
    m.source = what.from.text();
    m.from = text::rfc3339(from);
    m.to = text::rfc3339(run.objects.service_time());
    // Nobody records deletions of a table without a stream: what the last backfill did not see is stale.
    if (one_off_items && m.items > *one_off_items && out.not_covered.empty())
      out.not_covered =
          "the backup holds " + std::to_string(m.items) + " items, the table had " + std::to_string(*one_off_items) +
          " when it was last read: items deleted from it since an earlier backfill are still in the backup. A "
          "backfill into an empty prefix is exact";
    m.covered = out.not_covered.empty();
    m.not_covered = out.not_covered;
    m.table = table;
    out.items_written = m.items;
    out.bytes_written = m.size;
    co_await run.objects.put_object(what.to.bucket, archive::manifest_key(what.to, what.name),
                                    archive::write_manifest(m), {});
  }

  /// --dry-run: the listing, which costs little, tells what a snapshot would read.
  task<void> count() {
    out.planned.emplace();
    auto objects = [this](runtime::in_flight& gets) { return list_everything(gets); };
    co_await runtime::bounded(1, run.stop, objects);
    out.planned->object_requests = out.planned->items;
    out.planned->dollars = static_cast<double>(out.planned->items) * prices::get;
  }

  void plan_to_read(const s3::listed_object& found) {
    ++out.planned->items;
    out.planned->bytes += found.size;
  }

  task<void> list_everything(runtime::in_flight& gets) {
    auto lists = [this, &gets](runtime::in_flight& group) { return start_lists(group, gets); };
    co_await runtime::bounded(lists_at_once, run.stop, lists);
  }

  task<void> start_lists(runtime::in_flight& lists, runtime::in_flight& gets) {
    for (const char digit : hex_digits) co_await lists.start(list_prefix(digit, gets));
    // What lies beside the names that start with a hex digit is none of ours; bookkeeping is stepped over.
    const std::string books(archive::bookkeeping);
    co_await lists.start(list_strangers("", books));
    co_await lists.start(list_strangers(books + last_character, "0"));
    co_await lists.start(list_strangers(std::string("9") + last_character, "a"));
    co_await lists.start(list_strangers(std::string("f") + last_character, ""));
  }

  task<void> list_prefix(char digit, runtime::in_flight& gets) {
    s3::list_options options;
    options.prefix = what.from.prefix + digit;
    do {
      run.stop.check();
      s3::list_page page = co_await run.objects.list_objects_v2(what.from.bucket, options);
      for (s3::listed_object& found : page.objects) {
        if (!archive::is_object_name(std::string_view(found.key).substr(what.from.prefix.size())))
          skip(found.key);
        else if (out.planned)
          plan_to_read(found);
        else
          co_await gets.start(copy(std::move(found.key)));
      }
      options.token = std::move(page.next);
    } while (options.token);
  }

  /// Names behind `first` and before `end` (both relative to the prefix; empty = open).
  task<void> list_strangers(std::string first, std::string end) {
    s3::list_options options;
    options.prefix = what.from.prefix;
    if (!first.empty()) options.start_after = what.from.prefix + first;
    do {
      run.stop.check();
      const s3::list_page page = co_await run.objects.list_objects_v2(what.from.bucket, options);
      options.token = page.next;
      for (const s3::listed_object& found : page.objects) {
        if (!end.empty() && found.key >= what.from.prefix + end) co_return;
        skip(found.key);
      }
    } while (options.token);
  }

  void skip(const std::string& key) {
    ++out.objects_skipped;
    out.add({"skipped", key, 0, "not an item object of ours: its name is not 64 hex digits"});
  }

  task<void> copy(std::string key) {
    s3::get_options options;
    options.budget = &bodies;
    std::optional<s3::object_body> found = co_await run.objects.get_object(what.from.bucket, key, options);
    if (!found) co_return;  // deleted since it was listed: the window of the listing allows either
    const std::string& body = found->answer.body;
    check_body(key, *found);
    ++out.items_read;
    out.bytes_read += body.size();
    co_await writer->add(body);
    ++run.seen.items;
    run.seen.bytes += body.size();
  }

  void check_body(const std::string& key, const s3::object_body& found) const {
    const std::string& body = found.answer.body;
    const std::string name = "s3://" + what.from.bucket + "/" + key;
    if (!body.starts_with(archive::body_head) || !body.ends_with(archive::body_tail) ||
        body.find('\n') != std::string::npos)
      throw format_error(name + " is not an item object: its body is not {\"Item\":…} on one line");
    const auto recorded = found.head.meta.find(meta::md5);
    if (recorded != found.head.meta.end() && recorded->second != crypto::md5_hex(body))
      throw format_error(name + " is damaged: its body does not have the md5 in its metadata");
  }
};

}  // namespace

task<report> snapshot(run_context& run, snapshot_options what) {
  snapshot_run work(run, std::move(what));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
