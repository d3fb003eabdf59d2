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
#include "pipelines/item_listing.hpp"
#include "pipelines/past_coverage.hpp"
#include "pipelines/past_reading.hpp"
#include "pipelines/prices.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/snapshot_writer.hpp"
#include "pipelines/upload_notes.hpp"
#include "runtime/in_flight.hpp"
#include "runtime/shielded.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// A run that ends badly cleans up behind itself, but nobody waits long for that.
constexpr std::chrono::milliseconds time_to_abandon{5000}, time_to_abandon_stopped{1200};

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

struct snapshot_run final : item_visitor {
  run_context& run;
  snapshot_options what;
  report out;
  archive::descriptor table;
  s3::time_point from;
  std::optional<std::uint64_t> one_off_items;
  std::optional<past_reading> past;  // of a snapshot of a past moment
  runtime::in_flight* gets = nullptr;
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
    if (!what.name.empty()) check_name(what.name);
    std::optional<archive::descriptor> found = co_await find_descriptor(run, what.from);
    if (!found)
      throw not_found_error(
          what.from.text() + " holds no backup (no " + archive::descriptor_key(what.from) +
          " in the bucket): check INCREMENTAL_BUCKET and INCREMENTAL_PREFIX, or run `backfill` first");
    table = std::move(*found);
    if (what.at) {
      const std::chrono::sys_seconds at = co_await settle_moment(run, what.from, *what.at);
      past.emplace(run, what.from.bucket, at);
    }
    if (what.name.empty())
      what.name = text::snapshot_name(past ? past->at() : run.clock.now()) + std::string(suffix(what.codec));
    out.destination = what.to.text() + what.name;
    const std::optional<s3::object_head> there =
        co_await run.objects.head_object(what.to.bucket, what.to.key(what.name));
    if (there && !what.overwrite)
      throw conflict_error("s3://" + what.to.bucket + "/" + what.to.key(what.name) + " exists",
                           ": choose another name or --overwrite");
    coverage known;
    if (past)
      known = co_await coverage_at(run, what.from, past->at());
    else
      known = co_await coverage_of(run, what.from);
    doubt(known.missing);
    out.warnings = std::move(known.warnings);
    one_off_items = known.one_off_items;
    from = run.objects.service_time();
  }

  task<void> write_object(runtime::in_flight& uploads) {
    const snapshot_target target{what.to.bucket, what.to.key(what.name), what.to, what.codec, what.overwrite};
    writer = std::make_unique<snapshot_writer>(run, target, uploads, parts);
    co_await visit_everything(run.object_parallelism);
    archive::manifest done = co_await writer->finish();
    co_await write_manifest(std::move(done));
    co_await writer->forget();
  }

  task<void> write_manifest(archive::manifest m) {
    m.source = what.from.text();
    m.from = text::rfc3339(from);
    m.to = text::rfc3339(run.objects.service_time());
    if (past) m.at = text::rfc3339(past->at());
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
    co_await visit_everything(1);
    out.planned->object_requests = out.planned->items;
    out.planned->dollars = static_cast<double>(out.planned->items) * prices::get;
  }

  task<void> visit_everything(std::size_t parallelism) {
    auto objects = [this](runtime::in_flight& group) { return visit(group); };
    co_await runtime::bounded(parallelism, run.stop, objects);
    if (past) {
      co_await past->look_behind();
      out.past = past->result();
      warn_of_late_changes();
      doubt(past->doubts());
    }
    const std::uint64_t items = out.planned ? out.planned->items : out.items_read;
    // Nobody records deletions of a table without a stream: what the last backfill did not see is stale.
    if (one_off_items && items > *one_off_items && out.not_covered.empty())
      doubt("the backup holds " + std::to_string(items) + " items, the table had " + std::to_string(*one_off_items) +
            " when it was last read: items deleted from it since an earlier backfill are still in the backup. A "
            "backfill into an empty prefix is exact");
  }

  task<void> visit(runtime::in_flight& group) {
    gets = &group;
    if (past)
      co_await list_items_at(run, what.from, past->at(), *this);
    else
      co_await list_items(run, what.from, *this);
  }

  /// Of the current state it is told, of a past one it is refused: nobody can put that right any more.
  void doubt(const std::string& why) {
    if (why.empty()) return;
    if (past && !what.accept_incomplete)
      throw error("what " + what.from.text() + " held at " + text::rfc3339(past->at()) +
                  " cannot be told for sure: " + why + ". With --accept-incomplete what there is is taken");
    out.not_covered += (out.not_covered.empty() ? "" : "; ") + why;
  }

  void warn_of_late_changes() {
    if (out.past->late > 0)
      out.warnings.push_back("the recorder was behind: " + std::to_string(out.past->late) +
                             " of the changes that arrived first after " + out.past->at +
                             " had been made by then, and the state is without them");
  }

  task<void> item(s3::listed_version found) override {
    if (out.planned) {
      ++out.planned->items;
      out.planned->bytes += found.size;
      co_return;
    }
    co_await gets->start(copy(std::move(found)));
  }

  void stranger(const std::string& key) override {
    ++out.objects_skipped;
    out.add({"skipped", key, 0, "not an item object of ours: its name is not 64 hex digits"});
  }

  void later(s3::listed_version found) override { past->later(std::move(found)); }

  task<void> copy(s3::listed_version listed) {
    s3::get_options options;
    options.budget = &bodies;
    options.version_id = listed.version_id;
    std::optional<s3::object_body> found = co_await run.objects.get_object(what.from.bucket, listed.key, options);
    if (!found) {
      // Deleted since it was listed: the window of the listing allows either. A past moment has no window.
      if (past) past->vanished(listed.key);
      co_return;
    }
    const std::string& body = found->answer.body;
    check_body(listed, *found);
    if (past) past->read(found->head);
    ++out.items_read;
    out.bytes_read += body.size();
    co_await writer->add(body);
    ++run.seen.items;
    run.seen.bytes += body.size();
  }

  void check_body(const s3::listed_version& listed, const s3::object_body& found) const {
    const std::string& body = found.answer.body;
    const std::string name = "s3://" + what.from.bucket + "/" + listed.key +
                             (listed.version_id.empty() ? "" : " version " + listed.version_id);
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
