// How far a restore is: which blocks, or how many lines, are settled. Saved often, since what lies behind the last
// checkpoint is written again.
#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "archive/checkpoint.hpp"
#include "pipelines/checkpoint_store.hpp"
#include "pipelines/settled_prefix.hpp"

namespace dynabackup::pipelines {

class restore_progress {
 public:
  restore_progress(run_context& run, archive::restore_checkpoint at) : run_(run), base_(std::move(at)) {}
  /// Saves to `store` from here on, not more often than `every`.
  void save_to(std::unique_ptr<checkpoint_store> store, std::chrono::milliseconds every);

  /// Lines of a block that are settled already.
  [[nodiscard]] std::uint64_t settled_before(std::uint64_t block) const;
  /// Lines of a file without blocks that are settled already.
  [[nodiscard]] std::uint64_t lines_before() const { return base_.lines; }

  /// Begins a block of `lines` lines; pieces of it are begun and ended behind what was settled before.
  std::shared_ptr<settled_prefix> begin_block(std::uint64_t block, std::uint64_t lines);
  std::shared_ptr<settled_prefix> begin_lines();

  /// A put that was sent may take effect until then.
  void note_late(runtime::clock::steady_time until) { late_until_ = until; }
  [[nodiscard]] std::optional<runtime::clock::steady_time> late_until() const { return late_until_; }
  /// Done means that nothing of it takes effect any more, over what others write from then on.
  task<void> wait_out_late_writes();

  task<void> save_if_due();
  task<void> save();
  task<void> remove();
  [[nodiscard]] bool saves() const { return store_ != nullptr && !broken_; }

 private:
  struct begun_block {
    std::uint64_t lines;
    std::uint64_t before;
    std::shared_ptr<settled_prefix> settled;
  };
  [[nodiscard]] archive::restore_checkpoint now();

  run_context& run_;
  archive::restore_checkpoint base_;  // what it began with, then what the finished blocks add to it
  std::map<std::uint64_t, begun_block> blocks_;
  std::shared_ptr<settled_prefix> lines_;
  std::unique_ptr<checkpoint_store> store_;
  std::chrono::milliseconds every_{0};
  std::optional<runtime::clock::steady_time> late_until_;
  runtime::clock::steady_time last_saved_{};
  bool saving_ = false;
  bool broken_ = false;
};

}  // namespace dynabackup::pipelines
