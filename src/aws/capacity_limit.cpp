#include "aws/capacity_limit.hpp"

#include <algorithm>
#include <cmath>

namespace dynabackup::aws {

std::chrono::milliseconds capacity_limit::take(time now, double units) {
  // An idle second may be caught up with, no more; at the very start nothing is owed to us.
  if (started_) tokens_ += std::chrono::duration<double>(now - last_).count() * rate_;
  tokens_ = std::min(tokens_, rate_);
  last_ = now;
  started_ = true;
  tokens_ -= units;
  if (tokens_ >= 0) return std::chrono::milliseconds{0};
  return std::chrono::milliseconds{static_cast<std::chrono::milliseconds::rep>(std::ceil(-tokens_ / rate_ * 1000))};
}

}  // namespace dynabackup::aws
