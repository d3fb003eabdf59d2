#include "apps/lambda/time_limits.hpp"

#include <algorithm>

namespace dynabackup::bootstrap {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

namespace {

/// What a caller behind a gateway waits beyond its budget: for requests in flight, then for notes to be saved.
constexpr milliseconds patience = 1500ms, to_save = 1500ms;

}  // namespace

both_clocks both_clocks::now() { return {wall_now(), std::chrono::steady_clock::now()}; }

time_limit limit_until(wall_time deadline, both_clocks now, std::optional<std::chrono::seconds> budget) {
  const milliseconds left = std::max<milliseconds>(deadline - now.wall, 0ms);
  // A short limit leaves short margins.
  milliseconds end = left - std::min<milliseconds>(250ms, left / 10);
  milliseconds cancel = end - std::min<milliseconds>(1500ms, left / 10);
  milliseconds stop = cancel - std::min<milliseconds>(8s, left / 10);
  if (budget) {
    stop = std::min<milliseconds>(stop, *budget);
    cancel = std::min(cancel, stop + patience);
    end = std::min(end, cancel + to_save);
  }
  return {now.steady + stop, now.steady + cancel, now.steady + end};
}

}  // namespace dynabackup::bootstrap
