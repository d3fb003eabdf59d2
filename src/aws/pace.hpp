// A client-side rate limit that is off until the first throttle, then follows CUBIC (AWS SDKs' "adaptive" mode):
// a throttle lowers the rate for all who share it, recovery is gradual. Pure but for wait().
#pragma once
#include <chrono>

#include "dynabackup/task.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

class pace {
 public:
  using time = std::chrono::steady_clock::time_point;
  /// How long the next attempt has to wait; zero while nothing was throttled. Takes its token.
  std::chrono::milliseconds take(time now);
  void answered(time now, bool throttled);
  [[nodiscard]] bool on() const { return on_; }
  [[nodiscard]] double rate() const { return fill_rate_; }

 private:
  void measure(time now);
  void refill(time now);
  bool on_ = false;
  double fill_rate_ = 0, capacity_ = 0, tokens_ = 0;
  double measured_ = 0, w_max_ = 0, k_ = 0;
  double bucket_count_ = 0;
  time bucket_start_{}, last_refill_{}, throttled_at_{};
  bool started_ = false;
};

}  // namespace dynabackup::aws
