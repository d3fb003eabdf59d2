// One seed: a world, a plan of faults, runs until one ends, and a judgement of what is there then.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "simulation/run.hpp"

namespace dynabackup::simulation {

struct trial_options {
  std::uint64_t seed = 0;
  bool verbose = false;
};

struct verdict {
  std::vector<std::string> problems;  ///< empty: nothing lost, doubled, altered or brought back
  std::uint64_t runs = 0, crashes = 0, interruptions = 0, failures = 0;
  std::uint64_t items = 0, requests = 0, faults = 0, handlers = 0;
  bool whole = false;  ///< what the last report said of itself

  void blame(std::string what) { problems.push_back(std::move(what)); }
};

verdict backfill_trial(const trial_options& options);
verdict follow_trial(const trial_options& options);
verdict restore_trial(const trial_options& options);
verdict snapshot_trial(const trial_options& options);

/// Chances that all kinds of trials share: faults, crashes, signals, clocks.
class conduct {
 public:
  conduct(std::uint64_t seed, const world& outside, dice& chance);

  /// Starts `what` again and again, as a user would, until it ends with a report; nullopt: it never did, or something
  /// happened that must not (then the verdict says so).
  std::optional<report> until_done(world& outside, const std::function<operation(int start)>& what, verdict& v);

  /// One more start, by which nothing goes wrong any more: it must end well.
  void once_in_peace(world& outside, const std::function<operation(int start)>& what, verdict& v);

  /// A run on another machine while the user's stands still: stopped after so long, or killed.
  void beside(world& outside, const operation& what, milliseconds stopped_after, verdict& v);

  fault_plan plan;
  bool nasty = false;     ///< so many faults that a run may fail
  milliseconds pause{0};  ///< a user's, at least, before the next start
  std::uint64_t handlers_expected = 6'000;
  std::uint64_t store_clients = 1;  ///< of a run: each finds out for itself where the bucket is

 private:
  run_options next_options(int start);
  bool note(world& outside, const run_result& r, int start, verdict& v);

  dice chance_;
  milliseconds skew_{0};
  bool crashing_ = false;
  bool interrupting_ = false;
  bool session_tokens_ = false;
  bool aws_hosts_ = false;
  bool taken_over_ = false;  ///< a run may find that another has its lease
  std::size_t parallelism_ = 4;
  std::size_t memory_ = std::size_t{32} << 20;
};

}  // namespace dynabackup::simulation
