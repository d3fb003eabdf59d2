// follow in a world whose table is written and whose shards split, with a backfill beside it at times.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "archive/object_name.hpp"
#include "archive/recorder_state.hpp"
#include "dynabackup/error.hpp"
#include "dynamodb/stream_records.hpp"
#include "pipelines/backfill.hpp"
#include "pipelines/follow.hpp"
#include "runtime/in_flight.hpp"
#include "simulation/oracle.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::simulation {
namespace {

/// How long after the last change everything must be in the bucket: late effects and leases of a crashed run included.
constexpr minutes patience{240};
constexpr std::size_t most_told = 5;

world_settings draw_world(dice& chance, const trial_options& options) {
  world_settings w;
  w.verbose = options.verbose;
  w.session_tokens = options.seed % 4 == 2;
  w.items = static_cast<std::uint64_t>(chance.between(30, 120));
  w.store.conditions_enforced = !chance.one_in(3);
  w.store.removal_allowed = !chance.one_in(8);
  w.table.page_items = static_cast<std::size_t>(chance.between(8, 14));
  w.table.stream_shards = static_cast<std::size_t>(chance.between(1, 4));
  return w;
}

struct follow_stage {
  world& outside;
  bool with_backfill;
  milliseconds quiet_from;  ///< when the last change has been made
  bool backfilled = false;
  bool final_stop = false;
  milliseconds woken{0};  ///< when a run that was frozen last went on
  std::optional<report> backfill_told{};
  std::optional<report> follow_told{};

  /// Another machine, while the first one is frozen.
  task<report> take_over(composition& c, progress& seen) {
    std::optional<report> told;
    co_await follow_patiently(c, seen, told);
    co_return *std::move(told);
  }

  /// A supervisor: starts again while the lease of a run that died is fresh.
  task<void> follow_patiently(composition& c, progress& seen, std::optional<report>& told) {
    for (;;) {
      bool refused = false;
      try {
        told = co_await c.timed(&pipelines::follow, {.table = world::table, .to = world::home}, seen);
      } catch (const usage_error& e) {
        refused = std::string_view(e.what()).find("is followed by") != std::string_view::npos;
        if (!refused) throw;
      }
      if (!refused) co_return;
      if (c.stop.requested) throw interrupted();
      co_await c.clock.sleep(seconds{15});
    }
  }

  task<void> follow(composition& c, progress& seen) {
    co_await follow_patiently(c, seen, follow_told);
    // A lease that was not given back says that something may still come late: the next start sees to that.
    if (!final_stop || holder() != "") throw interrupted();
  }

  [[nodiscard]] std::string holder() const { return noted()->owner; }

  [[nodiscard]] std::optional<archive::recorder_state> noted() const {
    const auto found = outside.store.current(world::home.bucket, archive::recorder_key(world::home));
    if (found.empty()) return std::nullopt;
    return archive::read_recorder_state(*found.begin()->second.body);
  }

  /// Whether the recorder has settled the last change. Until then it may record some of them once more, an older one
  /// first: whoever stops it in between has an older state, and the next start goes on.
  [[nodiscard]] bool settled() const {
    const std::optional<archive::recorder_state> said = noted();
    const std::optional<text::millis> until = said ? text::parse_rfc3339(said->read_at) : std::nullopt;
    return until && *until > outside.time.wall() - (outside.time.elapsed() - quiet_from);
  }

  task<void> backfill(composition& c, progress& seen) {
    if (backfilled) co_return;
    backfill_told = co_await c.timed(&pipelines::backfill, {.table = world::table, .to = world::home}, seen);
    backfilled = true;
  }

  /// The signal at the end: when nothing is written any more and all is in the bucket and stays, or should be.
  task<void> watch(composition& c) {
    constexpr minutes stays{3};
    final_stop = false;
    std::optional<milliseconds> equal_since;
    const milliseconds latest = std::max(quiet_from, outside.time.elapsed()) + patience;
    for (;;) {
      const bool quiet = outside.time.elapsed() > quiet_from && (!with_backfill || backfilled);
      const bool equal = quiet && settled() && differences(outside).empty();
      if (!equal) equal_since.reset();
      if (equal && !equal_since) equal_since = outside.time.elapsed();
      if (quiet && outside.time.elapsed() > std::max(latest, woken + patience)) break;
      if (equal && outside.time.elapsed() - *equal_since > stays) break;
      if (c.stop.requested) co_return;
      co_await c.clock.sleep(seconds{1});
    }
    final_stop = true;
    c.stop.requested = true;
  }

  task<report> all(composition& c, progress& seen) {
    const runtime::interruption none;
    co_await runtime::bounded(3, none, [&](runtime::in_flight& group) { return start(c, seen, group); });
    co_return *follow_told;
  }

  task<void> start(composition& c, progress& seen, runtime::in_flight& group) {
    co_await group.start(follow(c, seen));
    if (with_backfill) co_await group.start(backfill(c, seen));
    co_await group.start(watch(c));
  }
};

/// Changes and splits over the next minutes. When the last of them is made.
milliseconds arrange(world& outside, dice& chance) {
  for (std::uint64_t n = 0; n < outside.settings.items; ++n) outside.write(n);
  const milliseconds how_long = chance.between(milliseconds{20'000}, milliseconds{240'000});
  auto own = std::make_shared<dice>(chance.fork());
  for (std::int64_t left = chance.between(50, 300); left > 0; --left) {
    outside.time.after(chance.between(milliseconds{0}, how_long), [&outside, own] {
      const std::uint64_t n = own->below(outside.settings.items);
      if (!own->one_in(3)) return outside.write(n);
      const auto items = outside.items();
      if (items.empty()) return;
      outside.erase(std::next(items.begin(), static_cast<std::ptrdiff_t>(own->below(items.size())))->first);
    });
  }
  for (std::int64_t left = chance.between(0, 5); left > 0; --left)
    outside.time.after(chance.between(milliseconds{0}, how_long), [&outside] {
      outside.say("shards split");
      outside.tables.split_shards(world::table);
    });
  return outside.time.elapsed() + how_long;
}

/// Somewhere in the first minutes whatever runs stands still for a while, and in that while another follower starts,
/// records and is stopped or killed.
void freeze_once(conduct& user, follow_stage& stage, dice& chance, verdict& v) {
  world& outside = stage.outside;
  const milliseconds begin = chance.between(milliseconds{5'000}, milliseconds{240'000});
  const milliseconds how_long = chance.one_in(4) ? chance.between(milliseconds{40'000}, milliseconds{minutes{6 * 60}})
                                                 : chance.between(milliseconds{40'000}, milliseconds{300'000});
  const milliseconds heir_for = chance.between(milliseconds{31'000}, std::min(how_long, milliseconds{minutes{10}}));
  outside.time.after(begin, [&outside, &user, &stage, &v, how_long, heir_for] {
    const milliseconds wakes = outside.time.elapsed() + how_long;
    outside.say("frozen");
    const operation heir = [&stage](composition& c, progress& seen) { return stage.take_over(c, seen); };
    user.beside(outside, heir, heir_for, v);
    outside.time.advance_to(std::max(outside.time.elapsed(), wakes));
    stage.woken = outside.time.elapsed();
    outside.say("woken");
  });
}

/// Without repeats of a number, each key's numbers rise.
void judge_order(const world& outside, verdict& v) {
  std::set<std::string> disordered;
  outside.store.for_each_key(world::home.bucket, [&](const std::string& key, std::size_t, const std::string&) {
    if (key.find(archive::bookkeeping) != std::string::npos) return;
    const auto versions = outside.store.versions(world::home.bucket, key);
    std::set<std::string> seen;
    std::string last;
    for (auto at = versions.rbegin(); at != versions.rend(); ++at) {
      const auto number = at->meta.find("sequence-number");
      if (number == at->meta.end() || !seen.insert(number->second).second) continue;
      if (dynamodb::sequence_less(number->second, last)) disordered.insert(key);
      last = number->second;
    }
  });
  for (const std::string& key : disordered) v.blame("recorded out of order: " + key);
}

void judge(world& outside, const follow_stage& stage, verdict& v) {
  std::size_t told = 0;
  for (const difference& d : differences(outside))
    if (++told <= most_told) v.blame(describe(d));
  if (told > most_told) v.blame("… and " + std::to_string(told - most_told) + " more");
  judge_order(outside, v);
  const std::string gaps = world::home.prefix + std::string(archive::bookkeeping) + "gaps/";
  for (const auto& [key, version] : outside.store.current(world::home.bucket, gaps))
    v.blame("a gap though nothing was lost: " + *version.body);
  if (!stage.follow_told->whole()) v.blame("says without a reason: " + stage.follow_told->not_covered);
  v.whole = stage.follow_told->whole();
}

}  // namespace

verdict follow_trial(const trial_options& options) {
  dice chance(options.seed * 4 + 3);
  verdict v;
  world outside(chance.next(), draw_world(chance, options));
  conduct user(options.seed, outside, chance);
  user.handlers_expected = 6'000;
  user.store_clients = 2;  // items and the lease
  // Nothing that is a day old may be lost by a user who comes late.
  user.pause = std::min(user.pause, milliseconds{minutes{90}});
  follow_stage stage{outside, chance.one_in(3), arrange(outside, chance)};
  outside.time.advance_to(outside.time.elapsed() + chance.between(milliseconds{0}, milliseconds{60'000}));
  const bool freezes = chance.one_in(4);
  // One machine's keys are not revoked by the other's.
  if (freezes && !outside.settings.session_tokens) freeze_once(user, stage, chance, v);
  auto start = [&stage](int) -> operation {
    return [&stage](composition& c, progress& seen) { return stage.all(c, seen); };
  };
  const std::optional<report> told = user.until_done(outside, start, v);
  outside.settle();
  v.items = outside.items().size();
  if (told) judge(outside, stage, v);
  return v;
}

}  // namespace dynabackup::simulation
