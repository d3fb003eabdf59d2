// A ceiling on consumed capacity (read or write units a second), shared by all workers of a table: a token bucket that
// may run into debt, so that who comes later waits longer. Pure: the caller brings the time and sleeps.
#pragma once
#include <chrono>

namespace dynabackup::aws {

class capacity_limit {
 public:
  using time = std::chrono::steady_clock::time_point;

  /// At most `units_per_second`, and never more than a second's worth at once.
  explicit capacity_limit(double units_per_second) : rate_(units_per_second) {}

  /// Takes what a request will probably consume; returns how long to wait before it is sent.
  std::chrono::milliseconds take(time now, double units);
  /// What it consumed beyond that (negative: less), once the answer has told.
  void correct(double units) { tokens_ -= units; }
  [[nodiscard]] double units_per_second() const { return rate_; }

 private:
  double rate_;
  double tokens_ = 0;
  time last_{};
  bool started_ = false;
};

}  // namespace dynabackup::aws
