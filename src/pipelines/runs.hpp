// The record of the backfills of a prefix: which finished, which were left open, what follows for coverage
// (docs/format.md, "Run records").
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "archive/run_record.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// A request may take effect this long after its connection was lost. What lists or judges waits that long after the
/// last write of unknown outcome.
inline constexpr std::chrono::seconds late_effects{65};

/// A run saves its checkpoint every few seconds; one that has not for so long has ended, and so have its late effects.
inline constexpr std::chrono::seconds sign_of_life{120};

/// "20261122T114503Z-1f3a9c2e": sorts by time, differs between machines.
std::string new_run_id(run_context& run);

/// Writes runs/<id>.json. Returns its last-modified time: the bucket's clock.
task<s3::time_point> save_run_record(run_context& run, s3_location home, archive::run_record record);

/// The newest records of a prefix, newest first.
task<std::vector<archive::run_record>> recorded_runs(run_context& run, s3_location home);

/// A run that nobody swept: an item that was deleted while it ran may have come back.
inline bool left_open(const archive::run_record& r) { return !r.swept; }

/// When the bucket last heard of a run: its record or its checkpoint.
task<s3::time_point> last_sign(run_context& run, s3_location home, std::string run_id);

/// What the run records, gaps and dead letters say (design section 4, "Coverage").
struct coverage {
  std::string missing;                ///< why not covered; empty = covered
  std::vector<std::string> warnings;  ///< one-off backups
  /// Items of the one-off backup that covers: nobody records deletions there, so more objects than these are stale.
  std::optional<std::uint64_t> one_off_items;
};
task<coverage> coverage_of(run_context& run, s3_location home);

/// Sleeps, but not through an interruption.
task<void> wait_for(run_context& run, std::chrono::milliseconds duration);

}  // namespace dynabackup::pipelines
