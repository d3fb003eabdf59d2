// simulate: whole runs of backfill, follow, restore and snapshot in a hostile world, by seed.
#include <charconv>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>

#include "simulation/trial.hpp"

namespace {

using namespace dynabackup::simulation;

constexpr const char* usage =
    "usage: simulate [--kind backfill|follow|restore|snapshot|all] [--first SEED|fresh] [--seeds N]   judge N seeds\n"
    "       simulate --kind backfill|follow|restore|snapshot --seed SEED                     replay one, with a log\n";

using trial = verdict (*)(const trial_options&);
const std::map<std::string, trial> trials{
    {"backfill", backfill_trial}, {"follow", follow_trial}, {"restore", restore_trial}, {"snapshot", snapshot_trial}};

struct request_of_user {
  std::string kind = "all";
  std::uint64_t first = 1;
  std::uint64_t seeds = 200;
  bool replay = false;
};

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size())
    throw std::invalid_argument(std::string(text) + " is no number");
  return value;
}

request_of_user read_arguments(int argc, char** argv) {
  request_of_user wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (i + 1 == argc) throw std::invalid_argument(std::string(name) + " needs a value");
    const std::string_view value = argv[++i];
    if (name == "--kind") {
      wanted.kind = value;
    } else if (name == "--first" && value == "fresh") {
      wanted.first = std::random_device{}();
    } else if (name == "--first") {
      wanted.first = number(value);
    } else if (name == "--seeds") {
      wanted.seeds = number(value);
    } else if (name == "--seed") {
      wanted.first = number(value);
      wanted.seeds = 1;
      wanted.replay = true;
    } else {
      throw std::invalid_argument(std::string(name) + " is no option");
    }
  }
  if (wanted.kind != "all" && !trials.contains(wanted.kind))
    throw std::invalid_argument(wanted.kind + " is no kind of run");
  return wanted;
}

verdict judged(trial run, const trial_options& options) {
  try {
    return run(options);
  } catch (const std::exception& e) {
    verdict v;
    v.blame(std::string("the trial itself failed: ") + e.what());
    return v;
  }
}

struct totals {
  std::uint64_t seeds = 0, bad = 0, runs = 0, crashes = 0, interruptions = 0, failures = 0, whole = 0;
  std::uint64_t requests = 0, faults = 0, handlers = 0;

  void add(const verdict& v) {
    ++seeds;
    bad += !v.problems.empty();
    runs += v.runs, crashes += v.crashes, interruptions += v.interruptions, failures += v.failures;
    requests += v.requests, faults += v.faults, handlers += v.handlers;
    whole += v.whole;
  }
};

totals run_kind(const std::string& kind, trial run, const request_of_user& wanted) {
  totals sum;
  for (std::uint64_t seed = wanted.first; seed < wanted.first + wanted.seeds; ++seed) {
    const verdict v = judged(run, {seed, wanted.replay});
    sum.add(v);
    for (const std::string& what : v.problems) std::cout << kind << " seed " << seed << ": " << what << '\n';
    if (!v.problems.empty()) std::cout << "  replay: simulate --kind " << kind << " --seed " << seed << std::endl;
  }
  return sum;
}

void tell(const std::string& kind, const totals& t, std::uint64_t first, double seconds) {
  std::cout << kind << ": " << t.seeds << " seeds from " << first << " in " << seconds << " s, " << t.bad << " bad; "
            << t.runs << " runs, " << t.crashes << " crashes, " << t.interruptions << " interruptions, " << t.failures
            << " failed runs, " << t.whole << " whole, " << t.requests << " requests, " << t.faults << " faults, "
            << t.handlers << " handlers" << std::endl;
}

int simulate(const request_of_user& wanted) {
  bool bad = false;
  for (const auto& [kind, run] : trials) {
    if (wanted.kind != "all" && wanted.kind != kind) continue;
    const auto begun = std::chrono::steady_clock::now();
    const totals t = run_kind(kind, run, wanted);
    tell(kind, t, wanted.first, std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
    bad = bad || t.bad > 0;
  }
  return bad ? 1 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return simulate(read_arguments(argc, argv));
  } catch (const std::invalid_argument& e) {
    std::cerr << "simulate: " << e.what() << '\n' << usage;
    return 2;
  }
}
