// A client-side rate limit that is off until the first throttle: a throttle lowers the rate for all who share it,
// recovery is gradual. In place of the AWS SDKs' CUBIC, under which stray throttles, one in a hundred answers, bring
// any rate down to some tens a second: a cut follows the share of throttles, and growth is relative. Pure: the caller
// brings the time.
#pragma once
#include <chrono>
#include <optional>

namespace dynabackup::aws {

class pace {
 public:
  using time = std::chrono::steady_clock::time_point;
  /// How long the next attempt has to wait; zero while nothing was throttled. Takes its token: who comes later waits
  /// longer, so that the waiting line is served in order.
  std::chrono::milliseconds take(time now);
  /// Tells of one answer. Throttles within half a second of a reduction are taken as answers to what was sent before
  /// it: a burst in flight lowers the rate once.
  void answered(time now, bool throttled);
  /// A throttle inside an answer that was counted as a success: UnprocessedItems. `share`: of what was asked, 0 to 1.
  void throttled(time now, double share = 1);
  [[nodiscard]] bool on() const { return on_; }
  /// Attempts a second; 0 while off.
  [[nodiscard]] double rate() const { return fill_rate_; }

 private:
  void measure(time now);
  void refill(time now);
  void reduce(time now);
  void set_rate(double wanted);
  bool on_ = false;
  double fill_rate_ = 0, capacity_ = 0, tokens_ = 0;
  double measured_ = 0, cut_to_ = 0;
  double bucket_count_ = 0;
  double answers_ = 0, throttles_ = 0;  // since the last cut, and recently: what its depth goes by
  std::optional<time> bucket_start_;
  time last_refill_{}, throttled_at_{};
};

}  // namespace dynabackup::aws
