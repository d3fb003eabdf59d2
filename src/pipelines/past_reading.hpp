// What shows while the state of a past moment is read: how far the recorder was behind around it, and what makes the
// state doubtful that no record told of.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "dynabackup/report.hpp"
#include "pipelines/item_listing.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

class past_reading {
 public:
  past_reading(run_context& run, std::string bucket, std::chrono::sys_seconds at)
      : run_(run), bucket_(std::move(bucket)), at_(at) {}

  [[nodiscard]] std::chrono::sys_seconds at() const { return at_; }
  /// A version of the state.
  void read(const s3::object_head& head);
  /// A version of the state that was listed, and is gone.
  void vanished(const std::string& key);
  /// A version that came after the moment. The earliest of them are kept.
  void later(s3::listed_version found);
  /// What those kept tell of the recorder: a request each.
  task<void> look_behind();

  /// Why the state that was read may be another than the bucket's at that moment; empty: it is that.
  [[nodiscard]] std::string doubts() const;
  [[nodiscard]] past_state result() const;

 private:
  task<void> start_looks(runtime::in_flight& looks);
  task<void> look(s3::listed_version found);
  void count(std::chrono::milliseconds lag);

  run_context& run_;
  std::string bucket_;
  std::chrono::sys_seconds at_;
  past_state told_{};
  s3::time_point newest_{};
  std::chrono::milliseconds newest_lag_{};
  std::vector<s3::listed_version> behind_;  // a heap, the latest on top
  std::string overwritten_;                 // a key of which a version without an id came later
  std::uint64_t vanished_ = 0;
  std::string vanished_key_;
};

}  // namespace dynabackup::pipelines
