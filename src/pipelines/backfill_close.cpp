#include "pipelines/backfill_close.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/checkpoint_store.hpp"
#include "pipelines/small_file.hpp"
#include "pipelines/sweep.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// A sweep whose own PUT may come late is followed by another.
constexpr int most_sweeps = 4;

struct closing {
  run_context& run;
  close_order order;
  run_book& book;
  report& out;
  std::vector<archive::run_record> others{};

  task<void> all() {
    std::vector<archive::run_record> records = co_await recorded_runs(run, order.home);
    std::erase_if(records, [this](const archive::run_record& r) {
      return !left_open(r) || (order.own && r.id == order.own->id);
    });
    // A run beside a stream that has been switched off since is swept all the same.
    for (const archive::run_record& r : records) order.recorded = order.recorded || !r.stream_label.empty();
    co_await find_others(std::move(records));
    if (!order.own && others.empty()) {
      out.warnings.push_back("no run was left open: nothing to sweep");
      co_return;
    }
    std::uint64_t left = 0;
    if (order.recorded) {
      co_await wait_out_late_effects();
      left = co_await sweep_all();
    }
    if (left > 0)
      add_reason(
          fmt::format("{} versions that the backfill brought back could not be removed; they are named above", left));
    if (order.own) co_await save(*order.own, left == 0);
    for (archive::run_record& other : others) {
      co_await save(other, left == 0);
      if (left == 0) co_await checkpoint_of(other.id)->remove();
    }
  }

  void add_reason(const std::string& why) { out.not_covered += (out.not_covered.empty() ? "" : "; ") + why; }

  std::unique_ptr<checkpoint_store> checkpoint_of(const std::string& id) {
    return checkpoint_in_bucket(run, order.home.bucket, archive::checkpoint_key(order.home, "backfill-" + id));
  }

  /// Runs that nobody closed and that have ended, one way or the other.
  task<void> find_others(std::vector<archive::run_record> records) {
    for (archive::run_record& r : records) {
      const bool ended = !order.recorded || co_await has_ended(r.id);
      if (ended) {
        others.push_back(std::move(r));
        continue;
      }
      const bool closed = co_await is_closed(r.id);
      if (closed) continue;
      out.warnings.push_back("backfill run " + r.id + " is still running: it is left open, and will close itself");
      add_reason("backfill run " + r.id + " may still be running, and is left open");
    }
  }

  /// Whether a run has given no sign of life for long enough; waits until that is known.
  task<bool> has_ended(std::string id) {
    const s3::time_point sign = co_await last_sign(run, order.home, id);
    const auto silent = run.objects.service_time() - sign;
    if (silent >= sign_of_life) co_return true;
    run.seen.notices.push_back(fmt::format(
        "run {} was left open; waiting {} s to be sure that it has ended and none of its requests is under way", id,
        std::chrono::ceil<std::chrono::seconds>(sign_of_life - silent).count()));
    co_await wait_for(run, sign_of_life - silent);
    const s3::time_point latest = co_await last_sign(run, order.home, id);
    co_return latest == sign;
  }

  /// What looked like a sign of life may have been the end: its own, or that of who closed it and died of it, with the
  /// record on its way.
  task<bool> is_closed(std::string id) {
    const std::string& bucket = order.home.bucket;
    const std::string key = archive::run_key(order.home, id);
    const std::optional<std::string> body = co_await read_small(run, bucket, key);
    co_return body && !left_open(read_named(bucket, key, *body, archive::read_run_record));
  }

  task<void> wait_out_late_effects() {
    if (!order.late_until) co_return;
    const auto left = *order.late_until - run.clock.steady_now();
    if (left.count() <= 0) co_return;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(left);
    run.seen.notices.push_back(
        fmt::format("a PUT whose answer was lost may still take effect: waiting {} s before the sweep",
                    std::chrono::ceil<std::chrono::seconds>(left).count()));
    co_await wait_for(run, wait);
  }

  task<std::uint64_t> sweep_all() {
    sweep_order how{
        order.home, order.table.name, order.table.key, {}, true, book.conditional(), order.own ? order.own->id : ""};
    how.since = run.objects.service_time();
    const auto include = [&how](const archive::run_record& r) {
      const auto started = text::parse_rfc3339(r.started);
      if (started) how.since = std::min<s3::time_point>(how.since, *started);
      how.conditional = how.conditional && r.conditional_writes;
    };
    // What was written for a table of that name before this one was created is not this table's to judge.
    const auto born = s3::time_point{
        std::chrono::milliseconds{static_cast<std::int64_t>(std::strtod(order.table.created.c_str(), nullptr) * 1000)}};
    if (order.own) include(*order.own);
    for (const archive::run_record& r : others) include(r);
    how.since = std::max(how.since, born);
    if (how.run_id.empty()) how.run_id = others.front().id;
    sweep_result done;
    for (int round = 1; round <= most_sweeps; ++round) {
      done = co_await sweep(run, how, out);
      if (!done.unsettled) co_return done.left;
      co_await wait_for(run, late_effects);
    }
    throw error("the sweep of " + order.home.text() + " lost the answer to a PUT " + std::to_string(most_sweeps) +
                " times; run `backfill --sweep` again");
  }

  task<void> save(archive::run_record& r, bool swept) {
    // Saved once more while still open: the bucket says when the run ended.
    r.ended = text::rfc3339(co_await book.save(r));
    r.swept = swept;
    co_await book.save(r);
  }
};

}  // namespace

task<void> close_runs(run_context& run, close_order order, run_book& book, report& out) {
  closing work{run, std::move(order), book, out};
  co_await work.all();
}

}  // namespace dynabackup::pipelines
