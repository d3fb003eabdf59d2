// A batch being filled, with its memory charged: what both readers of a snapshot put their items into.
#pragma once
#include <string>

#include "dynabackup/byte_budget.hpp"
#include "pipelines/snapshot_file.hpp"

namespace dynabackup::pipelines {

/// Far below BatchWriteItem's 16 MB: a batch of 25 ordinary items fits, a batch of huge ones stays small in memory.
inline constexpr std::size_t batch_bytes = std::size_t{1} << 20;

class item_batch {
 public:
  explicit item_batch(restore_target& to) : to_(to), batch_(to.table, batch_bytes) {}

  [[nodiscard]] bool fits(std::size_t item_bytes) const { return batch_.fits(item_bytes); }
  [[nodiscard]] bool empty() const { return batch_.empty(); }
  dynamodb::write_batch& items() { return batch_; }

  /// Adds an item that fits. The first one waits for memory: it is charged for a whole soft-limited batch, twice over,
  /// since the request body is a copy.
  task<void> add(std::string_view item, std::uint64_t line);
  /// Hands the batch to the group and starts anew; returns when there was a place for it.
  task<void> send();

 private:
  restore_target& to_;
  dynamodb::write_batch batch_;
  byte_budget::charge charge_;
};

}  // namespace dynabackup::pipelines
