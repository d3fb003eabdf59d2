// The user's ceilings on a table's read and write units (--max-read-units, --max-write-units), as pipelines ask them.
#pragma once
#include <optional>

#include "aws/capacity_limit.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::pipelines {

class capacity {
 public:
  capacity() = default;
  capacity(runtime::clock& clock, double units_per_second) : clock_(&clock) {
    if (units_per_second > 0) limit_.emplace(units_per_second);
  }

  /// Waits until `units` may be consumed; does not wait where there is no ceiling. Cancelled, nothing is taken: other
  /// runs may follow on the same ceiling.
  task<void> take(double units) {
    if (!limit_) co_return;
    const std::chrono::milliseconds wait = limit_->take(clock_->steady_now(), units);
    if (wait.count() == 0) co_return;
    try {
      co_await clock_->sleep(wait);
    } catch (...) {
      limit_->correct(-units);
      throw;
    }
  }
  /// The answer told what was consumed; 0: it did not, the guess stands.
  void settle(double guessed, double consumed) {
    if (limit_ && consumed > 0) limit_->correct(consumed - guessed);
  }
  /// Units a second; 0 = no ceiling.
  [[nodiscard]] double ceiling() const { return limit_ ? limit_->units_per_second() : 0; }

 private:
  runtime::clock* clock_ = nullptr;
  std::optional<aws::capacity_limit> limit_;
};

}  // namespace dynabackup::pipelines
