// One start of dynabackup in a world: the engine's own composition on a virtual clock, to its end, its crash or its
// interruption.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "composition.hpp"
#include "dynabackup/report.hpp"
#include "simulation/fake_network.hpp"

namespace dynabackup::simulation {

enum class run_end {
  done,         ///< a report
  failed,       ///< an exception: exit code 1 or 2
  interrupted,  ///< by a signal: exit code 130
  crashed,      ///< everything dropped at some handler
  hung          ///< nothing left that could go on: always a bug
};

struct run_options {
  std::uint64_t seed = 0;
  milliseconds skew{0};                         ///< of our clock against the services'
  std::optional<std::uint64_t> crash_at;        ///< handler
  std::optional<milliseconds> interrupt_after;  ///< first signal; the second, 10 s later, cancels
  std::size_t parallelism = 4;
  std::size_t memory_bytes = std::size_t{32} << 20;
  bool session_tokens = false;
  bool aws_hosts = false;
};

struct run_result {
  run_end end = run_end::hung;
  std::optional<report> told;
  std::string error;
  bool usage = false;   ///< a usage_error: exit code 2
  std::string problem;  ///< something that must not be, whatever the end
  std::vector<std::string> notices;
  std::uint64_t handlers = 0;
  std::uint64_t requests = 0;
  std::uint64_t misdirected = 0;  ///< requests that S3 did not look at because of their region
};

using operation = std::function<task<report>(composition&, progress&)>;

run_result run_once(world& outside, fault_plan& plan, const operation& what, const run_options& options);

}  // namespace dynabackup::simulation
