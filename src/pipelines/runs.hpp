// The record of the backfills of a prefix: which finished, which were left open, what follows for coverage
// (docs/format.md, "Run records").
#pragma once
#include <chrono>
#include <map>
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

/// "20261122T114503Z-1f3a9c2e": sorts by the bucket's time (ours before it has said anything), differs between
/// machines.
std::string new_run_id(run_context& run);

/// Writes run records so that an earlier state never lands on a later one: each write has the one before as its
/// condition; where conditions are not enforced, a write that may come late is waited out before the next.
class run_book {
 public:
  /// `conditional`: the store keeps If-Match.
  run_book(run_context& run, s3_location home, bool conditional)
      : run_(run), home_(std::move(home)), conditional_(conditional) {}
  [[nodiscard]] bool conditional() const { return conditional_; }

  /// Writes runs/<id>.json. Returns its last-modified time: the bucket's clock.
  task<s3::time_point> save(archive::run_record record);

 private:
  task<bool> put(std::string key, std::string body);

  run_context& run_;
  s3_location home_;
  bool conditional_;
  std::map<std::string, runtime::clock::steady_time> late_until_;  // by key
};

/// The newest records of a prefix, newest first; with `behind` only of ids that sort before it.
task<std::vector<archive::run_record>> recorded_runs(run_context& run, s3_location home, std::string behind = {});

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
/// What the run says that is to prove the prefix whole: finished, closed, and followed by none of its kind.
void judge_finished(const archive::run_record& proof, coverage& found);

/// Sleeps, but not through an interruption.
task<void> wait_for(run_context& run, std::chrono::milliseconds duration);

}  // namespace dynabackup::pipelines
