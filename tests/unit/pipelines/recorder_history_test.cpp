// Random histories through a hostile delivery: whatever is lost, late, repeated, split or killed, the bucket ends as
// the table, and each key's versions rise but for repeats of what was recorded before.
#include <doctest/doctest.h>
#include <map>
#include <random>
#include <set>

#include "recorder_world.hpp"

using namespace dynabackup;
using namespace std::chrono_literals;
using fakes::fate;
using fakes::recorder_process;
using fakes::recorder_world;
using fakes::told;

namespace {

class dice {
 public:
  explicit dice(std::uint64_t seed) : random_(seed) {}
  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }
  bool one_in(int n) { return below(n) == 0; }
  std::chrono::milliseconds between(int least, int most) {
    return std::chrono::milliseconds{least + below(most - least)};
  }

 private:
  std::mt19937_64 random_;
};

/// Few values, so that items become what they were before.
std::vector<told> random_history(dice& chance, int changes, int keys) {
  std::vector<told> history;
  std::int64_t sequence = 95 + chance.below(5);
  std::set<std::string> there;
  for (int i = 0; i < changes; ++i) {
    told t{std::to_string(sequence), "k" + std::to_string(chance.below(keys))};
    sequence += 1 + chance.below(40);
    const bool removes = there.contains(t.id) && chance.one_in(3);
    if (!removes) t.value = std::to_string(chance.below(3));
    removes ? void(there.erase(t.id)) : void(there.insert(t.id));
    history.push_back(std::move(t));
  }
  return history;
}

/// Every late effect is over within a minute: that is what late_effects, 65 s, stands for.
fate random_fate(dice& chance, const request& r, int trouble) {
  if (trouble == 0 || !chance.one_in(trouble)) return fakes::fine;
  switch (chance.below(r.method == "HEAD" ? 3 : 6)) {
    case 0:
      return fakes::refused;
    case 1:
      return {fate::kind::lost, std::nullopt};
    case 2:
      return fakes::failing;
    case 3:
      return fakes::answer_lost;
    case 4:
      return {fate::kind::error, std::chrono::milliseconds{0}};
    default:
      return {chance.one_in(2) ? fate::kind::lost : fate::kind::error, chance.between(1, 58'000)};
  }
}

class trial {
 public:
  trial(std::uint64_t seed, bool conditions)
      : chance_(seed), world_(conditions), history_(random_history(chance_, 60, 1 + chance_.below(5))) {
    world_.latency = [this] { return chance_.between(2, 60); };
    coalesce_ = chance_.one_in(6);
  }

  void run() {
    new_process();
    while (next_ < history_.size()) deliver();
    world_.pass(2min);
    judge();
  }

 private:
  void new_process() {
    process_.reset();
    world_.pass(65s);  // who takes over waits until the requests of the one before are over
    world_.plan = [](const request&) { return fakes::fine; };
    record_options options;
    options.coalesce = coalesce_;
    process_.emplace(world_, options, 1 + chance_.below(4), chance_.below(1000));
    process_->prepare();
    const int trouble = std::array{0, 40, 10, 5, 3}[static_cast<std::size_t>(chance_.below(5))];
    world_.plan = [this, trouble](const request& r) { return random_fate(chance_, r, trouble); };
  }

  /// From `next_` on, some of them twice.
  std::vector<told> batch(std::size_t end) {
    std::vector<told> changes;
    for (std::size_t i = next_; i < end; ++i) {
      changes.push_back(history_[i]);
      if (chance_.one_in(8))
        changes.push_back(history_[next_ + static_cast<std::size_t>(chance_.below(static_cast<int>(i - next_ + 1)))]);
    }
    return changes;
  }

  void deliver() {
    const std::size_t end = std::min(history_.size(), next_ + 1 + static_cast<std::size_t>(chance_.below(12)));
    const dynamodb::stream_records event = dynamodb::read_stream_event(fakes::event_of(batch(end)));
    process_->stop.requested = false;
    std::uint64_t handlers = fakes::drive_limits{}.handlers;
    if (chance_.one_in(10)) handlers = 1 + static_cast<std::uint64_t>(chance_.below(400));
    std::optional<fakes::timeline::event> interruption;
    if (chance_.one_in(10))
      interruption = world_.time.after(chance_.between(1, 3000), [this] { process_->stop.requested = true; });
    const std::optional<recorded> done = process_->conduct(process_->recording->record(event), handlers);
    if (interruption) world_.time.take_back(*interruption);
    if (!done) return new_process();
    count(*done);
    if (done->first_failed)
      next_ = partial(*done->first_failed);
    else if (!chance_.one_in(6))
      next_ = end;  // else the acknowledgement was lost
    if (++deliveries_ > 2000) FAIL("never done");
  }

  /// Everything from that change on comes again, or all of it.
  std::size_t partial(const std::string& first_failed) {
    if (chance_.one_in(3)) return next_;
    for (std::size_t i = next_; i < history_.size(); ++i)
      if (history_[i].sequence == first_failed) return i;
    FAIL("a failed change that was not delivered: ", first_failed);
    return next_;
  }

  void count(const recorded& done) {
    if (done.first_failed) return;
    CHECK(done.puts + done.deletes + done.repeats + done.coalesced == done.records);
  }

  void judge() {
    std::map<std::string, std::string> table;
    for (const told& t : history_) t.value ? void(table[t.id] = *t.value) : void(table.erase(t.id));
    std::map<std::string, std::string> bucket;
    for (int k = 0; k < 5; ++k) {
      const std::string id = "k" + std::to_string(k);
      const auto versions = world_.store.versions("b", recorder_world::key_of(id));
      if (!versions.empty() && !versions[0].delete_marker())
        bucket[id] = recorder_world::text_of(versions[0]).substr(recorder_world::text_of(versions[0]).find('=') + 1);
      // A change that was left out for a newer one, after a write of it was lost, may surface on that for a while.
      if (!coalesce_) CHECK_MESSAGE(rises(versions), id << ": " << world_.history(id));
      const auto wanted = table.find(id);
      CHECK_MESSAGE((bucket.contains(id) ? bucket[id] : "-") == (wanted == table.end() ? "-" : wanted->second),
                    id << ": " << world_.history(id));
    }
  }

  static bool rises(const std::vector<fakes::object_version>& newest_first) {
    std::set<std::string> seen;
    std::string last = "0";
    for (auto v = newest_first.rbegin(); v != newest_first.rend(); ++v) {
      if (v->delete_marker()) continue;
      const std::string& sequence = v->meta.at("sequence-number");
      if (!seen.insert(sequence).second) continue;
      if (!dynamodb::sequence_less(last, sequence)) return false;
      last = sequence;
    }
    return true;
  }

  dice chance_;
  recorder_world world_;
  std::vector<told> history_;
  bool coalesce_ = false;
  std::optional<recorder_process> process_;
  std::size_t next_ = 0;
  int deliveries_ = 0;
};

void run_trials(bool conditions) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    trial(seed, conditions).run();
  }
}

}  // namespace

TEST_CASE("any history ends with the bucket equal to the table, in a store that keeps conditions") { run_trials(true); }

TEST_CASE("any history ends with the bucket equal to the table, in a store that keeps none") { run_trials(false); }
