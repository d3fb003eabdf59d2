#include "pipelines/follow.hpp"

#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <utility>

#include "dynabackup/error.hpp"
#include "pipelines/backfill_close.hpp"
#include "pipelines/home.hpp"
#include "pipelines/other_recorders.hpp"
#include "pipelines/recorder.hpp"
#include "pipelines/recorder_lease.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/stream_choice.hpp"
#include "pipelines/stream_reader.hpp"
#include "runtime/shielded.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// The end of a run saves where it was, but nobody waits long for that.
constexpr std::chrono::seconds time_to_save{8};
constexpr std::size_t most_children = std::size_t{1} << 20;

struct follow_run {
  run_context& run;
  follow_options what;
  report out{};
  recorded totals{};
  dynamodb::table_description table{};
  std::shared_ptr<recorder_knowledge> known = std::make_shared<recorder_knowledge>();
  std::unique_ptr<recorder_lease> lease{};
  archive::recorder_state state{};
  bool first = false;  // no stream was followed into this prefix yet
  std::unique_ptr<recorder> into{};
  std::unique_ptr<stream_reader> reader{};
  runtime::clock::steady_time saved{};
  std::uint64_t gaps = 0;
  bool over = false;  // nothing is left to do that needs the lease

  task<report> all() {
    out.operation = "follow";
    out.source = what.table;
    out.destination = what.to.text();
    co_await look();
    co_await take_lease();
    std::exception_ptr failure;
    try {
      co_await runtime::bounded(most_children, run.stop, [this](runtime::in_flight& group) { return work(group); });
    } catch (...) {
      failure = std::current_exception();
    }
    const bool told = co_await end(failure);
    if (!told) std::rethrow_exception(failure);
    take_counters(run.seen, out);
    out.changes = totals;
    out.items_read = totals.records;
    out.items_written = totals.puts;
    co_return std::move(out);
  }

  /// Everything that is checked before the lease is taken.
  task<void> look() {
    table = co_await require_table(run, what.table);
    if (!table.stream && what.enable_stream) table = co_await enable_stream(run, what.table);
    if (table.stream && !has_new_images(table))
      throw usage_error("the stream of table " + table.name + " has view type " + table.stream->view_type +
                        ", without new images: changes cannot be recorded. Disable it and enable one with "
                        "NEW_AND_OLD_IMAGES or NEW_IMAGE");
    std::string stream = table.stream ? table.stream->arn : std::string();
    if (stream.empty()) stream = co_await stream_under_way();
    if (stream.empty()) refuse_without_stream(table.name);
    into = recorder_of(stream);
    co_await into->prepare(table);
    const std::string warning = co_await warning_of_functions(run, std::move(stream), what.to);
    if (warning.empty()) co_return;
    run.seen.notices.push_back("warning: " + warning);
    out.warnings.push_back(warning);
  }

  /// One that was disabled before it was recorded to its end may still be read for a day.
  task<std::string> stream_under_way() {
    std::optional<archive::recorder_state> before = co_await recorded_so_far(run, what.to);
    co_return before && !before->ended ? std::move(before->stream_arn) : std::string();
  }

  std::unique_ptr<recorder> recorder_of(std::string stream_arn) {
    return std::make_unique<recorder>(run,
                                      record_options{.to = what.to,
                                                     .stream_arn = std::move(stream_arn),
                                                     .coalesce = what.coalesce,
                                                     .dead_letters = what.dead_letters,
                                                     .unversioned = what.unversioned,
                                                     .adopt = what.adopt},
                                      known);
  }

  task<void> take_lease() {
    lease = std::make_unique<recorder_lease>(
        run, what.to, known->conditions.if_none_match && known->conditions.if_match, new_run_id(run));
    state = co_await lease->take();
    saved = run.clock.steady_now();
    known->may_write = [holder = lease.get()] { holder->require(); };
  }

  /// Where the checkpoint stopped, if what it was made of is still there.
  task<void> choose_stream() {
    const bool same_table = state.table == archive::identify(table);
    first = state.stream_arn.empty();
    if (!first && !same_table) co_await tell_loss({"table", {}, {}, "the table was replaced by another of its name"});
    if (!first && same_table && !state.ended) {
      read_from(text::parse_rfc3339(state.read_at).value_or(s3::time_point{}));
      reader->resume(state.shards);
      co_return;
    }
    if (!table.stream) refuse_without_stream(table.name);
    if (!first && same_table) co_await tell_loss(switched(state.stream_arn, table.stream->arn));
    if (first)
      co_await begin_first();
    else
      begin(run.bucket_time());
  }

  /// What backfills that were there before count on is missing, or it comes from the stream.
  task<void> begin_first() {
    const backfilled_since wanted = co_await changes_wanted(run, what.to, table.stream->label);
    enter(wanted.at);
    if (!wanted.missing.empty()) {
      co_await tell_loss({"begin", {}, {}, wanted.missing + ": changes before follow began may be missing"});
      enter(run.bucket_time());
    }
    read_from(text::parse_rfc3339(state.read_at).value_or(s3::time_point{}));
  }

  /// The table's stream, from its oldest record on.
  void begin(s3::time_point since) {
    enter(since);
    read_from(since);
  }

  void enter(s3::time_point since) {
    state.table = archive::identify(table);
    state.stream_arn = table.stream->arn;
    state.ended = false;
    state.read_at = text::rfc3339(since);
    state.shards.clear();
  }

  void read_from(s3::time_point since) {
    into = recorder_of(state.stream_arn);
    reader_parts parts{run,
                       *into,
                       *lease,
                       totals,
                       [this](lost_changes lost) { return tell_loss(std::move(lost)); },
                       [this] { return confirm_gone(); }};
    reader = std::make_unique<stream_reader>(std::move(parts), state.stream_arn, since);
    run.seen.notices.push_back("following " + state.stream_arn);
  }

  /// One stream after the other. The lease is kept beside all of it: also what comes between two streams waits for it.
  task<void> work(runtime::in_flight& group) {
    co_await group.start(keep_lease());
    co_await choose_stream();
    for (bool more = true; more;) {
      lease->check();
      co_await reader->read(group);
      more = co_await next_stream();
    }
    over = true;
  }

  /// A failure cancels the group's children; the group's producer learns of it here.
  task<void> keep_lease() {
    try {
      co_await renew_lease();
    } catch (...) {
      lease->nobody_renews(std::current_exception());
      if (reader) reader->give_up();
      throw;
    }
  }

  task<void> renew_lease() {
    constexpr std::chrono::milliseconds step{250};
    bool news = true;
    while (!over && !run.stop.requested) {
      news = (reader && reader->take_news()) || news;
      const auto due = news ? recorder_lease::busy_renewal : recorder_lease::idle_renewal;
      if (run.clock.steady_now() - saved >= due) {
        news = false;
        co_await save();
      }
      co_await run.clock.sleep(step);
    }
  }

  void take_positions() {
    if (!reader || !reader->listed()) return;
    state.shards = reader->positions();
    state.read_at = text::rfc3339(reader->read_at());
  }

  archive::recorder_state now() {
    take_positions();
    archive::recorder_state told = state;
    // Who has not seen the stream yet has not begun.
    if (first && !(reader && reader->listed())) told.stream_arn = told.read_at = "";
    return told;
  }

  task<void> save() {
    const auto begun = run.clock.steady_now();
    co_await lease->save(now());
    saved = begun;
  }

  /// The stream is disabled and recorded to its end. Whether another one follows it.
  task<bool> next_stream() {
    const std::string over = state.stream_arn;
    table_now found = co_await look_behind(run, what.table, state.table, over);
    if (found.what == table_now::fate::deleted) {
      state.ended = true;
      add_reason("the table was deleted; all that its stream told is recorded");
      co_return false;
    }
    if (found.what == table_now::fate::replaced) {
      co_await tell_loss({"table", {}, {}, "the table was replaced by another of its name"});
      state.ended = true;
      add_reason("the table was deleted and another of its name created: start again with --adopt to follow that");
      co_return false;
    }
    table = std::move(found.table);
    const bool replaced = !table.latest_stream_arn.empty() && table.latest_stream_arn != over;
    if (replaced) co_await tell_loss(switched(over, table.latest_stream_arn));
    state.ended = true;
    if (!table.stream) {
      add_reason("stream " + over +
                 " was disabled. All it told is recorded; later changes are not. Enable a stream and follow it, or the "
                 "backup stays as it is");
      co_return false;
    }
    if (!has_new_images(table)) {
      add_reason("the table's new stream has view type " + table.stream->view_type + ", without new images");
      co_return false;
    }
    first = false;
    begin(run.bucket_time());
    co_return true;
  }

  /// Whether the stream may be gone as it seems; a wrong endpoint must not look like a loss.
  task<void> confirm_gone() { co_await look_behind(run, what.table, state.table, state.stream_arn); }

  /// A gap in the bucket, before any position passes it.
  task<void> tell_loss(lost_changes lost) {
    ++gaps;
    take_positions();
    const std::string line = (lost.shard.empty() ? std::string() : "shard " + lost.shard + ": ") + lost.why;
    run.seen.notices.push_back("warning: changes are missing: " + line);
    out.warnings.push_back("changes are missing: " + line);
    co_await lease->hold();
    co_await note_gap(run, what.to, std::move(lost), {state.stream_arn, state.read_at});
  }

  void add_reason(const std::string& why) { out.not_covered += (out.not_covered.empty() ? "" : "; ") + why; }

  /// Gives the lease back with the last positions. Whether there is a report to give, too.
  task<bool> end(std::exception_ptr failure) {
    bool stopped = false;
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const interrupted&) {
      stopped = true;
    } catch (...) {
    }
    // A caller that was cancelled would not even begin to save.
    if (failure) co_await boost::asio::this_coro::throw_if_cancelled(false);
    if (!lease->lost()) {
      if (failure)
        co_await runtime::shielded(save_quietly(), time_to_save);
      else
        co_await save_at_end();
    }
    if (failure && !stopped) co_return false;
    out.interrupted = stopped;
    if (totals.dead_letters > 0)
      add_reason(fmt::format("{} changes could not be read and are dead letters", totals.dead_letters));
    if (gaps > 0) add_reason(fmt::format("{} gaps were found: changes are missing, and a backfill brings them", gaps));
    co_return true;
  }

  /// Back, when nothing of ours or of a predecessor's can take effect any more, what was cancelled included; else it
  /// runs out by itself, and whoever takes over waits.
  task<void> save_at_end() {
    const auto late = known->unsettled.latest();
    if ((!late || *late <= run.clock.steady_now()) && !lease->predecessor_may_come_late())
      co_await lease->release(now());
    else
      co_await lease->save(now());
  }

  task<void> save_quietly() {
    std::string problem;
    try {
      co_await save_at_end();
    } catch (const error& e) {
      problem = e.what();
    }
    if (!problem.empty())
      run.seen.notices.push_back("warning: the last checkpoint could not be saved; the one before counts: " + problem);
  }
};

}  // namespace

task<report> follow(run_context& run, follow_options what) {
  follow_run work{run, std::move(what)};
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
