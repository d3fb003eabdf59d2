// What an incremental bucket holds, now or at a past moment: whether that can be told, and every item of it.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "archive/descriptor.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/moment.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/item_listing.hpp"
#include "pipelines/past_reading.hpp"
#include "pipelines/run_context.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {

class bucket_state final : private item_visitor {
 public:
  struct question {
    s3_location home;
    std::optional<moment> at{};      ///< absent: now
    bool accept_incomplete = false;  ///< of a past moment: what stands against it is told instead of refused
  };
  /// Given each item's object and its body, which stay where they are until the task ends.
  using taker = std::function<task<void>(const s3::listed_version& which, const std::string& body)>;

  /// `out` is told what was read, skipped and doubtful; bodies wait for `bodies`. All outlive this.
  bucket_state(run_context& run, report& out, question asked, byte_budget& bodies)
      : run_(run), out_(out), asked_(std::move(asked)), bodies_(bodies) {}

  /// Finds the backup (not_found_error) and settles which moment is meant.
  task<void> begin();
  /// What the bookkeeping says against it. Of the current state that is told (out.not_covered), of a past one it is
  /// refused, also later when more comes to light: nobody can put that right any more.
  task<void> judge();

  [[nodiscard]] const archive::descriptor& table() const { return table_; }
  [[nodiscard]] std::optional<std::chrono::sys_seconds> at() const;

  /// For whoever cannot take back what it does with the items: a listing beforehand, so that what shows in it is
  /// refused before anything is done. From here on doubts are told.
  task<void> survey();
  /// Every item, up to `parallelism` at a time, in any order; each once.
  task<void> read(std::size_t parallelism, taker take);
  /// The listing alone: items and bytes.
  task<void> count(plan& into);

 private:
  task<void> item(s3::listed_version found) override;
  void stranger(const std::string& key) override;
  void later(s3::listed_version found) override { past_->later(std::move(found)); }

  task<void> visit(std::size_t parallelism);
  task<void> visit_listed(std::size_t parallelism);
  task<void> list();
  task<void> take_one(s3::listed_version listed);
  task<void> look_back();
  void compare_with_one_off(std::uint64_t items);
  void check_body(const s3::listed_version& listed, const s3::object_body& found) const;
  void doubt(const std::string& why);

  run_context& run_;
  report& out_;
  question asked_;
  byte_budget& bodies_;
  archive::descriptor table_{};
  std::optional<past_reading> past_{};
  std::optional<std::uint64_t> one_off_items_{};
  runtime::in_flight* reads_ = nullptr;
  taker take_{};
  plan* counted_ = nullptr;  // while the listing alone is wanted
  bool surveying_ = false;
};

}  // namespace dynabackup::pipelines
