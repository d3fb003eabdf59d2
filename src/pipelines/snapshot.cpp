#include "pipelines/snapshot.hpp"

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>

#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/request_errors.hpp"
#include "pipelines/bucket_state.hpp"
#include "pipelines/prices.hpp"
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

struct snapshot_run {
  run_context& run;
  snapshot_options what;
  report out;
  s3::time_point from;
  byte_budget bodies;
  byte_budget parts;
  bucket_state state;
  std::unique_ptr<snapshot_writer> writer;  // outlives the group that runs its uploads

  snapshot_run(run_context& context, snapshot_options options)
      : run(context),
        what(std::move(options)),
        // An object's body waits for room in a part, a part only for the network.
        bodies(context.memory_bytes / 4),
        parts(context.memory_bytes / 16 * 11),
        state(run, out, {what.from, what.at, what.accept_incomplete}, bodies) {}

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
    co_await state.begin();
    if (what.name.empty())
      what.name = text::snapshot_name(state.at() ? *state.at() : run.clock.now()) + std::string(suffix(what.codec));
    out.destination = what.to.text() + what.name;
    const std::optional<s3::object_head> there =
        co_await run.objects.head_object(what.to.bucket, what.to.key(what.name));
    if (there && !what.overwrite)
      throw conflict_error("s3://" + what.to.bucket + "/" + what.to.key(what.name) + " exists",
                           ": choose another name or --overwrite");
    co_await state.judge();
    from = run.objects.service_time();
  }

  task<void> write_object(runtime::in_flight& uploads) {
    const snapshot_target target{what.to.bucket, what.to.key(what.name), what.to, what.codec, what.overwrite};
    writer = std::make_unique<snapshot_writer>(run, target, uploads, parts);
    co_await state.read(run.object_parallelism, [this](const auto&, const std::string& body) { return keep(body); });
    archive::manifest done = co_await writer->finish();
    co_await write_manifest(std::move(done));
    co_await writer->forget();
  }

  task<void> keep(const std::string& body) {
    co_await writer->add(body);
    ++run.seen.items;
    run.seen.bytes += body.size();
  }

  task<void> write_manifest(archive::manifest m) {
    m.source = what.from.text();
    m.from = text::rfc3339(from);
    m.to = text::rfc3339(run.objects.service_time());
    if (state.at()) m.at = text::rfc3339(*state.at());
    m.covered = out.not_covered.empty();
    m.not_covered = out.not_covered;
    m.table = state.table();
    out.items_written = m.items;
    out.bytes_written = m.size;
    co_await run.objects.put_object(what.to.bucket, archive::manifest_key(what.to, what.name),
                                    archive::write_manifest(m), {});
  }

  /// --dry-run: the listing, which costs little, tells what a snapshot would read.
  task<void> count() {
    out.planned.emplace();
    co_await state.count(*out.planned);
    out.planned->object_requests = out.planned->items;
    out.planned->dollars = static_cast<double>(out.planned->items) * prices::get;
  }
};

}  // namespace

task<report> snapshot(run_context& run, snapshot_options what) {
  snapshot_run work(run, std::move(what));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
