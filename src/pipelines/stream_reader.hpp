// Reads one stream of a table and hands its changes to the recorder: finds shards, parents before children, polls the
// open ones, and knows how far each is recorded.
#pragma once
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/recorder_state.hpp"
#include "dynabackup/byte_budget.hpp"
#include "pipelines/lost_changes.hpp"
#include "pipelines/recorder.hpp"
#include "pipelines/recorder_lease.hpp"
#include "pipelines/run_context.hpp"
#include "pipelines/shard_tree.hpp"
#include "runtime/semaphore.hpp"

namespace dynabackup::pipelines {

struct reader_parts {
  run_context& run;
  recorder& into;
  recorder_lease& lease;
  recorded& totals;
  std::function<task<void>(lost_changes)> tell_loss;  ///< writes a gap; done before the positions pass it
  std::function<task<void>()> confirm_gone;           ///< throws if the stream must be there and was not found
};

class stream_reader {
 public:
  /// Streams keep a day; who comes later than this may have missed something.
  static constexpr std::chrono::hours kept_for_sure{23};

  /// `since`: of what the stream told before nothing is missing, by the bucket's clock.
  stream_reader(reader_parts parts, std::string stream_arn, s3::time_point since);

  /// Takes up where a checkpoint of this stream stopped.
  void resume(const std::vector<archive::shard_position>& positions);

  /// Reads until the stream is disabled and recorded to its end, its shards' readers in `group`. usage_error for a
  /// stream without new images.
  task<void> read(runtime::in_flight& group);
  /// A child of the group has failed: read() throws the group's failure soon.
  void give_up() { failed_ = true; }
  [[nodiscard]] bool ended() const { return ended_; }

  [[nodiscard]] std::vector<archive::shard_position> positions() const { return tree_.positions(); }
  /// The stream was found: positions and read_at say something.
  [[nodiscard]] bool listed() const { return listed_once_; }
  /// What the stream told until then is recorded, or noted as a gap.
  [[nodiscard]] s3::time_point read_at() const { return tree_.read_at(listed_at_); }
  /// Whether positions changed since the last call.
  bool take_news() { return std::exchange(news_, false); }

 private:
  struct listing {
    s3::time_point at{};  // no later than it was asked for
    std::string status;
    std::vector<dynamodb::stream_shard> shards;
  };
  task<std::optional<listing>> list();
  task<std::optional<listing>> list_patiently();
  task<void> take_in(const listing& now);
  task<void> wait_for_news();
  task<void> read_shard(std::string shard);
  task<void> read_to_end(std::string shard);
  task<bool> step(const std::string& shard, std::optional<std::string>& iterator, std::chrono::milliseconds& pause);
  task<bool> open(const std::string& shard, std::optional<std::string>& iterator);
  task<void> record(const dynamodb::stream_records& batch);
  [[nodiscard]] bool stale(s3::time_point read_until) const;
  void note_read(const std::string& shard, const dynamodb::stream_records& batch, s3::time_point asked);
  task<void> read_what_is_left(const std::string& shard);
  task<void> lose(const std::string& shard, const char* why);

  reader_parts parts_;
  std::string arn_;
  shard_tree tree_;
  runtime::semaphore polls_;
  byte_budget pages_;
  s3::time_point since_;
  s3::time_point listed_at_;  // of the last listing that was taken in
  bool listed_once_ = false;
  bool relist_ = false;
  bool failed_ = false;
  bool ended_ = false;
  bool news_ = false;
};

}  // namespace dynabackup::pipelines
