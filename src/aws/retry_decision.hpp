// What an answer means for the next attempt, and how long to wait (AWS SDKs, "Retry behavior", the standard mode of
// November 2026). Pure: no clock, no I/O; the random number is passed in.
#pragma once
#include <chrono>
#include <string_view>

#include "dynabackup/http.hpp"

namespace dynabackup::aws {

enum class verdict {
  done,       ///< a response the client above wants to see (2xx, 304, 404, 412, …)
  transient,  ///< try again after a short delay
  throttled,  ///< try again after a long delay, at a lower pace
  fail        ///< an error that no retry mends: the client above makes a service_error of it
};

/// By AWS error code first, status second: SlowDown's 503 is throttling.
verdict classify(int status, std::string_view code);

struct retry_policy {
  int max_attempts = 10;
  std::chrono::milliseconds transient_base{50};  ///< DynamoDB: 25
  std::chrono::milliseconds throttle_base{1000};
  std::chrono::milliseconds cap{20'000};
};

/// Full jitter: random × min(base × 2^i, cap) for the i-th retry (0-based), random in [0,1). A server's
/// x-amz-retry-after (`hint`, nullopt when absent or malformed) moves it within [d, d + 5 s].
std::chrono::milliseconds retry_delay(const retry_policy& policy, verdict why, int retry, double random,
                                      std::optional<std::chrono::milliseconds> hint);

/// 500 tokens a client: what keeps a sick service from being hammered. A retry costs 14 (transient) or 5 (throttling).
class retry_quota {
 public:
  bool take(verdict why);             ///< false: not enough left
  void refund_retry(verdict why);     ///< a success after a retry gives its cost back
  void refund_first();                ///< a success at the first try gives 1
  [[nodiscard]] int tokens() const { return tokens_; }

 private:
  int tokens_ = 500;
};

}  // namespace dynabackup::aws
