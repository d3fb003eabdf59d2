// The body of a backfill: scans a table in parallel segments and stores each item as its own object, never over what
// the stream wrote.
#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "archive/canonical_json.hpp"
#include "archive/run_record.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/s3_location.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/checkpoint_store.hpp"
#include "pipelines/existing_object.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/scan_progress.hpp"

namespace dynabackup::pipelines {

class table_copy {
 public:
  /// `record` is the run's: id, start, conditions. All references outlive the copy.
  table_copy(run_context& run, report& out, const dynamodb::table_description& table, s3_location to,
             const archive::run_record& record, std::uint32_t segments);

  /// Goes on where `c` stopped.
  void resume(const archive::backfill_checkpoint& c);
  /// Saves a checkpoint every few seconds from here on.
  void save_to(checkpoint_store& store, run_book& book) {
    store_ = &store;
    book_ = &book;
  }

  /// Every item of the table, settled.
  task<void> all();
  /// Where it is now.
  task<void> save_checkpoint();

  /// Whether a PUT may take effect late, and when the last such PUT was answered.
  [[nodiscard]] bool unsettled() const { return unsettled_; }
  [[nodiscard]] runtime::clock::steady_time last_unsettled() const { return last_unsettled_; }

 private:
  struct stored_item;
  task<void> scan_segment(dynamodb::segment part, runtime::in_flight& uploads);
  task<void> start_segments(runtime::in_flight& scans, runtime::in_flight& uploads);
  task<dynamodb::scan_page> read_page(dynamodb::segment part, std::optional<std::string> start);
  [[nodiscard]] std::uint64_t page_limit() const;
  stored_item store_form(std::string_view item);
  task<void> upload(stored_item item, byte_budget::charge charge, std::shared_ptr<scan_progress::page> page);
  task<standing> put(const stored_item& item, bool& written);
  void count(standing there, bool written, const stored_item& item, scan_progress::page& page);
  task<void> save_if_due();

  run_context& run_;
  report& out_;
  const dynamodb::table_description& table_;
  s3_location to_;
  const archive::run_record& record_;
  archive::canonicalizer canonical_;
  scan_progress progress_;
  byte_budget pages_;
  byte_budget bodies_;
  checkpoint_store* store_ = nullptr;
  run_book* book_ = nullptr;
  runtime::clock::steady_time last_saved_{};
  bool saving_ = false;
  bool unsettled_ = false;
  runtime::clock::steady_time last_unsettled_{};
  double page_units_ = 0;  // what a page of this table has cost on average
};

}  // namespace dynabackup::pipelines
