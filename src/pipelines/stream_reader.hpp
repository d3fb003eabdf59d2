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
};

class stream_reader {
 public:
  stream_reader(reader_parts parts, std::string stream_arn);

  /// Takes up where a checkpoint of this stream stopped. `stale`: it is older than what streams keep.
  void resume(const std::vector<archive::shard_position>& positions, bool stale);

  /// Reads until the stream is disabled and recorded to its end, its shards' readers in `group`. usage_error for a
  /// stream without new images.
  task<void> read(runtime::in_flight& group);
  /// A child of the group has failed: read() throws the group's failure soon.
  void give_up() { failed_ = true; }
  [[nodiscard]] bool ended() const { return ended_; }

  [[nodiscard]] std::vector<archive::shard_position> positions() const { return tree_.positions(); }
  /// Whether positions changed since the last call.
  bool take_news() { return std::exchange(news_, false); }

 private:
  struct listing {
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
  task<void> lose(const std::string& shard, const char* why);

  reader_parts parts_;
  std::string arn_;
  shard_tree tree_;
  runtime::semaphore polls_;
  byte_budget pages_;
  bool stale_ = false;
  bool listed_once_ = false;
  bool relist_ = false;
  bool failed_ = false;
  bool ended_ = false;
  bool news_ = false;
};

}  // namespace dynabackup::pipelines
