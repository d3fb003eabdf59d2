// The one recorder of changes: what a stream tells, into the versioned bucket, keys side by side, each key strictly in
// order (design section 6). Whatever fails, is delivered twice or dies: the newest change is last, and nothing that
// was told as recorded is missing.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "archive/canonical_json.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "dynamodb/stream_records.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/home.hpp"
#include "pipelines/run_context.hpp"
#include "pipelines/unsettled_writes.hpp"

namespace dynabackup::pipelines {

/// What stays true from one batch to the next, and from one recorder of a prefix to the next in a process.
struct recorder_knowledge {
  bool prepared = false;
  store_conditions conditions{};
  dynamodb::key_schema key{};
  unsettled_writes unsettled{};
  std::function<void()>
      may_write{};  ///< asked before each attempt at a write; throws error where none may be made any more
  std::multiset<runtime::clock::steady_time> under_way{};  ///< when the batches began that are being recorded now
};

class recorder {
 public:
  /// `what.to` without `{table}`, `what.stream_arn` set (usage_error when it is no stream's).
  recorder(run_context& run, record_options what,
           std::shared_ptr<recorder_knowledge> known = std::make_shared<recorder_knowledge>());

  /// Once: versioning, the descriptor (written when there is none), what the store makes of conditions. usage_error
  /// when this is no place for the table's changes.
  task<void> prepare(dynamodb::table_description table);
  [[nodiscard]] bool prepared() const { return known_->prepared; }

  /// Every record, or all that come before `first_failed` (and whatever else could be). A failed record, and an
  /// interruption, is in the outcome. Returns when no late effect that is known of can undo what it tells; that may
  /// take a minute. usage_error: the stream has no new images, or is another one. `batch` outlives the task.
  task<recorded> record(const dynamodb::stream_records& batch);

  /// Until when a write may take effect late: only a process that knows of it (its own conditions aside) can undo that.
  /// Whoever hands over to another process sooner risks that an older state of a key lands on a newer one.
  [[nodiscard]] std::optional<runtime::clock::steady_time> late_until() const { return known_->unsettled.latest(); }

 private:
  run_context& run_;
  record_options what_;
  std::string label_;
  std::shared_ptr<recorder_knowledge> known_;
  archive::canonicalizer canonical_;
  byte_budget bodies_;
};

/// usage_error, naming the view type, for a stream whose records have no new images.
void require_new_images(const dynamodb::stream_records& batch);

}  // namespace dynabackup::pipelines
