// The shards of one stream: which may be read now, how far each is recorded. A child is not read before its parent's
// last record is recorded, so that a key's changes stay in order across splits. Pure.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "archive/recorder_state.hpp"
#include "dynamodb/stream_description.hpp"

namespace dynabackup::pipelines {

class shard_tree {
 public:
  /// Takes up where a checkpoint stopped.
  void resume(const std::vector<archive::shard_position>& positions);

  /// What a new list of all shards says about records that can be read no more.
  struct losses {
    std::vector<std::string> shards;  ///< known, not recorded to their end, and not listed any more
    bool unseen = false;              ///< a shard's parent came and went since the checkpoint, its records unread
  };
  losses listed(const std::vector<dynamodb::stream_shard>& all);

  /// Shards to begin with now; each is handed out once.
  std::vector<std::string> ready();

  /// The last recorded sequence number; empty: none yet.
  [[nodiscard]] const std::string& position(const std::string& shard) const { return known_.at(shard).sequence; }
  void recorded(const std::string& shard, std::string sequence) { known_.at(shard).sequence = std::move(sequence); }
  void finished(const std::string& shard) { known_.at(shard).done = true; }

  [[nodiscard]] bool all_done() const;
  /// Shards that are not recorded to their end and of which nothing is recorded.
  [[nodiscard]] bool has_unbegun() const;
  [[nodiscard]] std::vector<archive::shard_position> positions() const;

 private:
  struct shard {
    std::string parent;
    std::string sequence;
    bool done = false;
    bool taken = false;  // somebody reads it
  };
  std::map<std::string, shard> known_;
  bool resumed_ = false;
};

}  // namespace dynabackup::pipelines
