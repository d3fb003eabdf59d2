// Writes whose answer was lost, by key: each may take effect once more, after whatever is written next (design section
// 6, "Late effects"). Tells whether one of them could land on a key's newest state, and until when.
#pragma once
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/clock.hpp"

namespace dynabackup::pipelines {

/// What is current at a key, as far as writes and conditions go.
struct key_state {
  bool there = false;  ///< an object, not a delete marker
  std::string etag{};
  std::string sequence{};                  ///< of the change that made it so, where that is known
  runtime::clock::steady_time asked_at{};  ///< when the request began that told or made it; it may be over since
};

struct unsettled_write {
  bool remove = false;
  std::string sequence{};      ///< of the change it carries
  bool if_none_match = false;  ///< its condition, in a store that keeps it
  std::string if_match{};      ///< likewise
  runtime::clock::steady_time until{};
};

class unsettled_writes {
 public:
  void add(const std::string& object, unsettled_write w);
  /// Until when a write may land, or may have landed, on `state` and make it an older one; nullopt: none can.
  [[nodiscard]] std::optional<runtime::clock::steady_time> threat(const std::string& object,
                                                                  const key_state& state) const;
  /// Until when any write may take effect late: the latest of all there ever were.
  [[nodiscard]] std::optional<runtime::clock::steady_time> latest() const { return latest_; }
  /// Forgets what was over then.
  void forget(runtime::clock::steady_time then);
  [[nodiscard]] std::size_t size() const { return by_object_.size(); }

 private:
  std::unordered_map<std::string, std::vector<unsettled_write>> by_object_;
  std::optional<runtime::clock::steady_time> latest_;
};

}  // namespace dynabackup::pipelines
