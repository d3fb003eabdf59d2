// Keys whose last write may take effect once more, after the next one (design section 6, "Late effects"): whoever
// writes such a key again remembers what it wrote, looks when no late effect is possible any more, and puts it again if
// an older state surfaced. For files in which keys repeat.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

class late_writes {
 public:
  explicit late_writes(run_context& run) : run_(run) {}

  /// The puts of these keys may take effect once more.
  void unsettled(const std::vector<std::string>& keys);
  /// `item` (canonical JSON) is about to be written. True: over a put that may come late, it will be looked at.
  bool writing(const std::string& key, const std::string& item);
  [[nodiscard]] bool anything_to_look_at() const { return !to_look_at_.empty(); }
  /// So many keys are remembered that they should be settled before more is read.
  [[nodiscard]] bool full() const { return to_look_at_.size() >= most_remembered || bytes_ >= most_bytes; }

  /// Waits until no late effect is possible, then calls `put_again` with every item that is not what the table holds.
  /// Nothing may be under way.
  task<void> settle(std::string table, std::function<task<void>(std::string key, std::string item)> put_again);

 private:
  [[nodiscard]] bool may_come_late(const std::string& key) const;
  static constexpr std::size_t most_remembered = 1000;
  static constexpr std::size_t most_bytes = std::size_t{2} << 20;
  static constexpr std::size_t most_unsettled = 100'000;
  run_context& run_;
  std::unordered_map<std::string, runtime::clock::steady_time> until_;
  std::unordered_map<std::string, std::string> to_look_at_;
  std::size_t bytes_ = 0;
};

}  // namespace dynabackup::pipelines
