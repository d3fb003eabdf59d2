#include "aws/pace.hpp"

#include <algorithm>
#include <cmath>

namespace dynabackup::aws {
namespace {

constexpr double window_seconds = 0.5;
constexpr double smoothing = 0.8;
/// The deepest cut. A smaller share of throttles cuts the rate by just that share: to what was served.
constexpr double beta = 0.7;
/// Growth a second after a cut, as exponents: slow at first, where the right rate is near, then quick.
constexpr double slow_growth = 0.25, quick_growth = 0.7, slow_seconds = 5, most_growth = 25;
constexpr double lowest_rate = 0.5;

double seconds_between(pace::time from, pace::time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

}  // namespace

std::chrono::milliseconds pace::take(time now) {
  if (!on_) return std::chrono::milliseconds{0};
  refill(now);
  tokens_ -= 1;
  if (tokens_ >= 0) return std::chrono::milliseconds{0};
  return std::chrono::milliseconds{static_cast<std::int64_t>(std::ceil(-tokens_ / fill_rate_ * 1000))};
}

void pace::answered(time now, bool throttled) {
  measure(now);
  answers_ += 1;
  if (throttled) return this->throttled(now);
  if (!on_) return;
  refill(now);
  const double since = seconds_between(throttled_at_, now);
  const double growth =
      slow_growth * std::min(since, slow_seconds) + quick_growth * std::max(0.0, since - slow_seconds);
  set_rate(cut_to_ * std::exp(std::min(growth, most_growth)));
}

void pace::throttled(time now, double share) {
  throttles_ += share;
  if (!on_ || seconds_between(throttled_at_, now) >= window_seconds) reduce(now);
}

void pace::measure(time now) {
  if (!bucket_start_) bucket_start_ = now;
  bucket_count_ += 1;
  const double elapsed = seconds_between(*bucket_start_, now);
  if (elapsed < window_seconds) return;
  const double current = bucket_count_ / elapsed;
  measured_ = measured_ == 0 ? current : current * smoothing + measured_ * (1 - smoothing);
  bucket_count_ = 0;
  bucket_start_ = now;
  // What was long ago says nothing of the share now.
  answers_ /= 2;
  throttles_ /= 2;
}

void pace::reduce(time now) {
  // Before the first half second is over there is no measurement; what came so far is the best guess.
  if (measured_ == 0) measured_ = bucket_count_ / window_seconds;
  const double kept = std::max(beta, 1 - throttles_ / std::max(answers_, throttles_));
  answers_ = throttles_ = 0;
  cut_to_ = std::max(lowest_rate, kept * (on_ ? std::min(measured_, fill_rate_) : measured_));
  throttled_at_ = now;
  if (on_) {
    refill(now);
  } else {
    on_ = true;
    last_refill_ = now;
  }
  set_rate(cut_to_);
}

void pace::set_rate(double wanted) {
  fill_rate_ = std::max(lowest_rate, std::min(wanted, 2 * measured_));
  capacity_ = std::max(1.0, fill_rate_);
  tokens_ = std::min(tokens_, capacity_);
}

void pace::refill(time now) {
  tokens_ = std::min(capacity_, tokens_ + seconds_between(last_refill_, now) * fill_rate_);
  last_refill_ = std::max(last_refill_, now);
}

}  // namespace dynabackup::aws
