#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "simulation/trial.hpp"

namespace dynabackup::simulation {
namespace {

constexpr int most_starts = 10;
/// From here on nothing goes wrong any more: a user starts again until it works.
constexpr int calm_from = 6;
constexpr std::uint64_t misdirected_at_most = 10;

fault_settings draw_faults(dice& chance, bool nasty) {
  fault_settings f;
  if (nasty) {
    f.rate = 0.55;
    f.most_in_a_row = 0;
    return f;
  }
  constexpr std::array rates{0.005, 0.01, 0.02, 0.05, 0.1, 0.2};
  f.rate = chance.pick(rates);
  return f;
}

milliseconds draw_skew(dice& chance) {
  switch (chance.below(4)) {
    case 0:
      return chance.between(milliseconds{minutes{-14}}, milliseconds{minutes{14}});
    case 1:
      return chance.between(milliseconds{minutes{-300}}, milliseconds{minutes{300}});
    default:
      return chance.between(milliseconds{-2'000}, milliseconds{2'000});
  }
}

/// Only faults beyond all retries excuse it.
bool could_not_remove(const run_result& r) {
  return std::any_of(r.notices.begin(), r.notices.end(), [](const std::string& each) {
    return each.find("is not needed any more and could not be removed") != std::string::npos;
  });
}

}  // namespace

conduct::conduct(std::uint64_t seed, const world& outside, dice& chance) : plan(0, {}), chance_(chance.fork()) {
  nasty = seed % 20 == 7;
  session_tokens_ = outside.settings.session_tokens;
  aws_hosts_ = outside.places.aws_hosts();
  fault_settings faults = draw_faults(chance_, nasty);
  faults.expired_tokens = session_tokens_;
  plan = fault_plan(chance_.next(), faults);
  skew_ = draw_skew(chance_);
  crashing_ = seed % 3 == 1;
  interrupting_ = !crashing_ && chance_.one_in(6);
  parallelism_ = chance_.pick(std::array<std::size_t, 4>{2, 4, 8, 16});
  if (chance_.one_in(8)) memory_ = std::size_t{64} << 10;
  // At once, as a supervisor does it; after a coffee; the next morning.
  pause = milliseconds{2'000};
  if (chance_.one_in(2)) pause = chance_.between(pause, milliseconds{minutes{chance_.one_in(2) ? 10 : 600}});
}

run_options conduct::next_options(int start) {
  run_options o;
  o.seed = chance_.next();
  o.skew = skew_;
  o.parallelism = parallelism_;
  o.memory_bytes = memory_;
  o.session_tokens = session_tokens_;
  o.aws_hosts = aws_hosts_;
  if (crashing_ && (start == 1 || (start < 5 && chance_.one_in(3)))) o.crash_at = 1 + chance_.below(handlers_expected);
  const bool later = start > 1 && start < 5 && (crashing_ || interrupting_) && !o.crash_at && chance_.one_in(3);
  if (interrupting_ && start == 1) o.interrupt_after = chance_.between(milliseconds{0}, milliseconds{20'000});
  if (later) o.interrupt_after = chance_.between(milliseconds{0}, milliseconds{120'000});
  if (start >= calm_from) plan.calm();
  return o;
}

/// False: what happened must not.
bool conduct::note(world& outside, const run_result& r, int start, verdict& v) {
  ++v.runs;
  v.handlers += r.handlers;
  v.requests += r.requests;
  v.faults = plan.faults();
  v.crashes += r.end == run_end::crashed;
  v.interruptions += r.end == run_end::interrupted;
  v.failures += r.end == run_end::failed;
  outside.say("run " + std::to_string(start) + " ended: " +
              std::array{"done", "failed", "interrupted", "crashed", "hung"}[static_cast<std::size_t>(r.end)] + " " +
              r.error);
  if (!r.problem.empty()) v.blame("start " + std::to_string(start) + ": " + r.problem);
  outside.kept_checkpoint = outside.kept_checkpoint || (nasty && could_not_remove(r));
  // To this the only answer is a new upload, and so a new run; the error says so.
  const bool upload_refused = r.error.find("CompleteMultipartUpload") != std::string::npos &&
                              r.error.find("ConditionalRequestConflict") != std::string::npos;
  const bool taken_over = taken_over_ && r.error.find(" took over ") != std::string::npos;
  if (r.end == run_end::failed && !nasty && !upload_refused && !taken_over)
    v.blame("start " + std::to_string(start) +
            " failed though no request was faulted more often than it is retried: " + r.error);
  // What was made before the bucket's region was known, and goes out after; anything more was not remembered.
  // A run that stood still for another's sake has the other's counted as well.
  const std::uint64_t runs_counted = taken_over_ ? 2 : 1;
  if (r.misdirected > runs_counted * store_clients * (misdirected_at_most + 2 * parallelism_))
    v.blame("start " + std::to_string(start) + ": " + std::to_string(r.misdirected) +
            " requests went to a region that S3 had said is not the bucket's");
  return v.problems.empty();
}

std::optional<report> conduct::until_done(world& outside, const std::function<operation(int)>& what, verdict& v) {
  outside.let_buckets_move();
  for (int start = 1; start <= most_starts; ++start) {
    run_result r = run_once(outside, plan, what(start), next_options(start));
    if (!note(outside, r, start, v)) return std::nullopt;
    if (r.end == run_end::done) return std::move(r.told);
    outside.time.advance_to(outside.time.elapsed() + pause);
    if (chance_.one_in(3)) skew_ = draw_skew(chance_);  // another machine
  }
  v.blame("did not end well in " + std::to_string(most_starts) + " starts");
  return std::nullopt;
}

void conduct::beside(world& outside, const operation& what, milliseconds stopped_after, verdict& v) {
  taken_over_ = true;
  run_options o = next_options(calm_from - 1);
  o.skew = draw_skew(chance_);
  if (chance_.one_in(4))
    o.crash_at = 1 + chance_.below(handlers_expected);
  else
    o.interrupt_after = stopped_after;
  note(outside, run_once(outside, plan, what, o), 0, v);
}

void conduct::once_in_peace(world& outside, const std::function<operation(int)>& what, verdict& v) {
  const int start = most_starts + 1;
  const run_result r = run_once(outside, plan, what(start), next_options(start));
  if (note(outside, r, start, v) && r.end != run_end::done) v.blame("failed in peace: " + r.error);
}

}  // namespace dynabackup::simulation
