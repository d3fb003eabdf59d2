// A batch being filled, with its memory charged: what both readers of a snapshot put their items into.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "dynabackup/byte_budget.hpp"
#include "pipelines/snapshot_file.hpp"

namespace dynabackup::pipelines {

class item_batch {
 public:
  /// `lines` is told of each batch that is settled.
  item_batch(restore_target& to, std::shared_ptr<settled_prefix> lines)
      : to_(to), batch_(to.table, batch_bytes), lines_(std::move(lines)) {}

  /// Also by the user's ceiling: a batch takes no more than a second's write units.
  [[nodiscard]] bool fits(std::size_t item_bytes) const;
  /// A line of the file was taken, whatever it held.
  void take_line() { ++taken_; }
  [[nodiscard]] bool empty() const { return batch_.empty(); }
  [[nodiscard]] std::size_t size() const { return batch_.size(); }

  /// Adds an item that fits. The first one waits for memory: it is charged for a whole soft-limited batch, twice over,
  /// since the request body is a copy.
  task<void> add(std::string_view item, std::uint64_t line);
  /// Puts an item that fits in the place of the i-th: a later line of the same key wins.
  void replace(std::size_t i, std::string_view item, std::uint64_t line);
  /// Hands the batch to the group and starts anew; returns when there was a place for it.
  /// `unsettled` is called if its puts may take effect once more.
  task<void> send(std::function<void()> unsettled = {});

 private:
  restore_target& to_;
  dynamodb::write_batch batch_;
  byte_budget::charge charge_;
  std::shared_ptr<settled_prefix> lines_;
  std::uint64_t taken_ = 0;  // lines since the last batch
  double units_ = 0;
};

}  // namespace dynabackup::pipelines
