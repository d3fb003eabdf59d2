// The shards of one stream: which may be read now, how far each is recorded. A child is not read before its parent's
// last record is recorded, so that a key's changes stay in order across splits. Pure.
#pragma once
#include <chrono>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "archive/recorder_state.hpp"
#include "dynamodb/stream_description.hpp"

namespace dynabackup::pipelines {

class shard_tree {
 public:
  using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

  /// Takes up where a checkpoint stopped; `read_until` is that of all of them.
  void resume(const std::vector<archive::shard_position>& positions, time_point read_until);

  /// What a new list of all shards says about records that can be read no more.
  struct losses {
    std::vector<std::string> shards;  ///< known, not recorded to their end, and not listed any more
    bool unseen = false;              ///< a shard's parent came and went since the checkpoint, its records unread
  };
  [[nodiscard]] losses losses_of(const std::vector<dynamodb::stream_shard>& all) const;
  /// Goes on with that list: what is lost is done with. `before`: when a shard that is new was not there yet.
  void take(const std::vector<dynamodb::stream_shard>& all, time_point before);

  /// Shards to begin with now; each is handed out once.
  std::vector<std::string> ready();

  /// The last recorded sequence number; empty: none yet.
  [[nodiscard]] const std::string& position(const std::string& shard) const { return known_.at(shard).sequence; }
  void recorded(const std::string& shard, std::string sequence) { known_.at(shard).sequence = std::move(sequence); }
  void finished(const std::string& shard) { known_.at(shard).done = true; }

  /// What it told until then is recorded, or noted as a gap.
  [[nodiscard]] time_point read_until(const std::string& shard) const { return known_.at(shard).read_until; }
  void read_until(const std::string& shard, time_point at) { known_.at(shard).read_until = at; }
  void all_read_until(time_point at);
  /// The earliest of all that are not recorded to their end, or `latest`.
  [[nodiscard]] time_point read_at(time_point latest) const;

  [[nodiscard]] bool all_done() const;
  /// Without those that a child tells of: one that is begun or done says that its parent is done.
  [[nodiscard]] std::vector<archive::shard_position> positions() const;

 private:
  struct shard {
    std::string parent;
    std::string sequence;
    bool done = false;
    bool taken = false;  // somebody reads it
    time_point read_until{};
  };
  using names = std::set<std::string>;
  /// Not recorded to its end, and nobody who reads it would tell.
  static bool lost(const std::string& id, const shard& s, const names& listed) {
    return !s.done && !s.taken && !listed.contains(id);
  }

  [[nodiscard]] names left_out(const std::vector<dynamodb::stream_shard>& all) const;

  std::map<std::string, shard> known_;
  bool resumed_ = false;
  bool from_checkpoint_ = false;  // of which no list has been taken yet
};

}  // namespace dynabackup::pipelines
