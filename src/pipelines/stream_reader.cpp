#include "pipelines/stream_reader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "dynabackup/error.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {
namespace {

using std::chrono::milliseconds;

/// AWS: five GetRecords a second for one shard, and readers other than us (DynamoDB Streams, "Quotas").
constexpr milliseconds busy_pause{250}, idle_pause{1'000};
constexpr std::chrono::seconds relist_every{20};
/// Shards that are asked at the same moment; the others wait for their turn.
constexpr std::size_t most_polls = 8;
constexpr std::size_t records_a_page = 1'000;
constexpr std::size_t most_pages = 10'000;
constexpr int most_tries = 4;

}  // namespace

stream_reader::stream_reader(reader_parts parts, std::string stream_arn, s3::time_point since)
    : parts_(std::move(parts)),
      arn_(std::move(stream_arn)),
      polls_(std::min(parts_.run.table_parallelism, most_polls)),
      pages_(parts_.run.memory_bytes / 2),
      since_(since),
      listed_at_(since) {}

void stream_reader::resume(const std::vector<archive::shard_position>& positions) { tree_.resume(positions, since_); }

bool stream_reader::stale(s3::time_point read_until) const {
  return parts_.run.bucket_time() - read_until > kept_for_sure;
}

/// All pages of DescribeStream; nullopt: there is no such stream.
task<std::optional<stream_reader::listing>> stream_reader::list() {
  listing found{parts_.run.bucket_time(), {}, {}};
  std::optional<std::string> start;
  for (std::size_t pages = 0;; ++pages) {
    if (pages == most_pages) throw error("DescribeStream on " + arn_ + " does not come to an end");
    std::optional<dynamodb::stream_page> page = co_await parts_.run.streams.describe_stream(arn_, start);
    if (!page) co_return std::nullopt;
    if (!page->view_type.empty() && !page->view_type.starts_with("NEW_"))
      throw usage_error("stream " + arn_ + " has view type " + page->view_type +
                        ", without new images: its changes cannot be recorded. Use NEW_IMAGE or NEW_AND_OLD_IMAGES");
    found.status = std::move(page->status);
    std::move(page->shards.begin(), page->shards.end(), std::back_inserter(found.shards));
    if (!page->next || page->next == start) co_return found;
    start = std::move(page->next);
  }
}

/// A stream that has just been switched on may take a moment to be known.
task<std::optional<stream_reader::listing>> stream_reader::list_patiently() {
  for (int tries = 1;; ++tries) {
    std::optional<listing> found = co_await list();
    if (found || listed_once_ || tries == most_tries) co_return found;
    co_await wait_for(parts_.run, std::chrono::seconds{2});
  }
}

task<void> stream_reader::take_in(const listing& now) {
  if (!listed_once_ && stale(since_)) {
    co_await parts_.tell_loss({"checkpoint", {}, {}, "the last checkpoint is older than what a stream keeps"});
    since_ = listed_at_ = parts_.run.bucket_time();
    tree_.all_read_until(since_);
  }
  const shard_tree::losses lost = tree_.losses_of(now.shards);
  for (const std::string& shard : lost.shards)
    co_await parts_.tell_loss({shard, shard, {}, "the shard is not kept any more and was not recorded to its end"});
  if (lost.unseen)
    co_await parts_.tell_loss({"unseen", {}, {}, "shards came and went since the last checkpoint, unread"});
  // Nothing may pass before all that is lost is noted.
  tree_.take(now.shards, listed_at_);
  listed_at_ = std::max(listed_at_, now.at);
  listed_once_ = true;
  news_ = true;
}

task<void> stream_reader::read(runtime::in_flight& group) {
  for (;;) {
    relist_ = false;
    const std::optional<listing> now = co_await list_patiently();
    if (!now) {
      co_await parts_.confirm_gone();
      // Nothing is left to read: what was not recorded by now never will be.
      if (!listed_once_) co_await parts_.tell_loss({"stream", {}, {}, "the stream is not kept any more"});
      co_await take_in({parts_.run.bucket_time(), {}, {}});
      ended_ = tree_.all_done();
      if (ended_) co_return;
    } else {
      co_await take_in(*now);
      const std::vector<std::string> ready = tree_.ready();
      for (const std::string& shard : ready) co_await group.start(read_shard(shard));
      ended_ = now->status == "DISABLED" && tree_.all_done();
      if (ended_) co_return;
    }
    co_await wait_for_news();
    if (failed_) co_await group.drain();
  }
}

task<void> stream_reader::wait_for_news() {
  constexpr milliseconds step{250};
  for (milliseconds left = relist_every; left.count() > 0 && !relist_ && !failed_; left -= step) {
    parts_.run.stop.check();
    co_await parts_.run.clock.sleep(step);
  }
  parts_.run.stop.check();
}

task<void> stream_reader::read_shard(std::string shard) {
  try {
    co_await read_to_end(std::move(shard));
  } catch (...) {
    failed_ = true;
    throw;
  }
}

task<void> stream_reader::read_to_end(std::string shard) {
  std::optional<std::string> iterator;
  milliseconds pause{0};
  bool more = true;
  while (more) {
    parts_.run.stop.check();
    more = co_await step(shard, iterator, pause);
    if (more && pause.count() > 0) co_await parts_.run.clock.sleep(pause);
  }
  tree_.finished(shard);
  news_ = true;
  relist_ = true;
}

/// One GetRecords and what follows from it; false: the shard is recorded to its end.
task<bool> stream_reader::step(const std::string& shard, std::optional<std::string>& iterator, milliseconds& pause) {
  auto turn = co_await polls_.acquire();
  const auto begun = parts_.run.clock.steady_now();
  const s3::time_point asked = parts_.run.bucket_time();
  pause = milliseconds{0};
  if (!iterator) {
    const bool there = co_await open(shard, iterator);
    if (!there) co_return false;
  }
  const dynamodb::records_answer answer =
      co_await parts_.run.streams.get_records(arn_, *iterator, records_a_page, &pages_);
  if (answer.state != dynamodb::shard_state::readable) {
    iterator.reset();
    if (answer.state == dynamodb::shard_state::trimmed) co_await read_what_is_left(shard);
    pause = busy_pause;
    co_return true;
  }
  // Recording may take long, and what was read is charged to the budget.
  turn.release();
  if (!answer.batch.records.empty()) {
    co_await record(answer.batch);
    const auto& records = answer.batch.records;
    const auto last = std::find_if(records.rbegin(), records.rend(),
                                   [](const dynamodb::stream_record& r) { return !r.sequence_number.empty(); });
    if (last != records.rend()) tree_.recorded(shard, last->sequence_number);
    news_ = true;
  }
  note_read(shard, answer.batch, asked);
  iterator = answer.batch.next_iterator;
  const auto spent = std::chrono::floor<milliseconds>(parts_.run.clock.steady_now() - begun);
  pause = answer.batch.records.empty() ? idle_pause : std::max(busy_pause - spent, milliseconds{0});
  co_return iterator.has_value();
}

/// An iterator behind what is recorded; false: the shard is not there any more.
task<bool> stream_reader::open(const std::string& shard, std::optional<std::string>& iterator) {
  // Without a position nobody says that something is missing; with one, the service does.
  if (tree_.position(shard).empty()) co_await read_what_is_left(shard);
  const std::string position = tree_.position(shard);
  const std::optional<std::string> after = position.empty() ? std::nullopt : std::optional(position);
  dynamodb::iterator_answer found = co_await parts_.run.streams.get_shard_iterator(arn_, shard, after);
  if (found.state == dynamodb::shard_state::trimmed) {
    co_await read_what_is_left(shard);
    found = co_await parts_.run.streams.get_shard_iterator(arn_, shard, std::nullopt);
  }
  if (found.state != dynamodb::shard_state::readable) {
    co_await lose(shard, "the shard is not kept any more and was not recorded to its end");
    co_return false;
  }
  iterator = std::move(found.iterator);
  co_return true;
}

/// A page without records says that there were none left; should more of before come nevertheless, it is taken back.
void stream_reader::note_read(const std::string& shard, const dynamodb::stream_records& batch, s3::time_point asked) {
  s3::time_point until = asked;
  if (!batch.records.empty()) {
    const std::chrono::milliseconds newest = batch.records.back().changed_at;
    if (newest.count() == 0) return;
    until = std::min(asked, s3::time_point(newest));
  }
  tree_.read_until(shard, std::max(until, since_));
}

/// From the oldest record on: a loss if what came before it may not have been read. AWS says "trimmed" also of a
/// position at an old record that nothing came after.
task<void> stream_reader::read_what_is_left(const std::string& shard) {
  // A machine that was asleep knows what time it is when the lease is renewed.
  co_await parts_.lease.hold();
  if (stale(tree_.read_until(shard))) {
    co_await lose(shard, "changes were older than a day when they were to be read");
    tree_.read_until(shard, parts_.run.bucket_time());
  }
  tree_.recorded(shard, {});
}

task<void> stream_reader::lose(const std::string& shard, const char* why) {
  co_await parts_.tell_loss({shard, shard, tree_.position(shard), why});
}

/// Whole, or it throws: nothing is passed over.
task<void> stream_reader::record(const dynamodb::stream_records& batch) {
  for (int tries = 1;;) {
    co_await parts_.lease.hold();
    const std::uint64_t lapses = parts_.lease.lapses();
    recorded done = co_await parts_.into.record(batch);
    const bool whole = !done.first_failed;
    if (!whole && parts_.run.stop.requested) {
      parts_.totals.add(done);
      throw interrupted();
    }
    // Whoever had to stop in the middle because the lease was not renewed in time has not failed.
    const bool lapsed = parts_.lease.lapses() != lapses;
    if (!whole && !lapsed && tries == most_tries) {
      parts_.totals.add(done);
      throw error("changes of " + arn_ + " cannot be recorded: " + done.failure);
    }
    done.first_failed.reset();
    done.failure.clear();
    if (!whole) done.records = 0;  // they come again
    parts_.totals.add(done);
    parts_.run.seen.lag = done.lag;
    if (whole) co_return;
    if (lapsed) continue;
    co_await wait_for(parts_.run, std::chrono::seconds{1 << tries++});
  }
}

}  // namespace dynabackup::pipelines
