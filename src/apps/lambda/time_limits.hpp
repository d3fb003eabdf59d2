// By when an invocation's work has to stop, so that its outcome is told before the deadline and nothing is sent after
// it.
#pragma once
#include <chrono>
#include <optional>

#include "apps/lambda/function_log.hpp"
#include "dynabackup/engine.hpp"

namespace dynabackup::bootstrap {

/// The same moment on both clocks.
struct both_clocks {
  wall_time wall;
  std::chrono::steady_clock::time_point steady;
  static both_clocks now();
};

/// `budget`: whoever asked waits no longer than that.
time_limit limit_until(wall_time deadline, both_clocks now, std::optional<std::chrono::seconds> budget);

}  // namespace dynabackup::bootstrap
