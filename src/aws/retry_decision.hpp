// What an answer means for the next attempt, and how long to wait (AWS SDKs, "Retry behavior", the standard mode of
// November 2026). Pure: no clock, no I/O; the random number is passed in.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "dynabackup/http.hpp"

namespace dynabackup::aws {

enum class verdict {
  done,       ///< a response the client above wants to see (2xx, 304, 404, 412, 416)
  transient,  ///< try again after a short delay
  throttled,  ///< try again after a long delay, at a lower pace
  fail        ///< an error that no retry mends: the client above makes a service_error of it
};

/// By AWS error code first, status second: SlowDown's 503 is throttling, RequestTimeout's 400 is transient.
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

/// The value of x-amz-retry-after: digits only, milliseconds; nullopt for anything else.
std::optional<std::chrono::milliseconds> parse_retry_after(std::string_view value);

/// What keeps a sick service from being hammered: a retry after a transient failure costs 14 tokens of the client's
/// 500. Throttling costs none here, unlike in the SDKs (5): a bulk tool is patient, and a throttled request is governed
/// by the pace and by max_attempts.
class retry_quota {
 public:
  static constexpr int standard_tokens = 500;
  static constexpr int transient_cost = 14;

  explicit retry_quota(int tokens = standard_tokens) : most_(tokens), tokens_(tokens) {}

  bool take(verdict why);          ///< false: not enough left
  void refund_retry(verdict why);  ///< a success after a retry gives its cost back
  void refund_first();             ///< a success at the first try gives 1
  [[nodiscard]] int tokens() const { return tokens_; }

 private:
  void give(int tokens);
  int most_;
  int tokens_;
};

}  // namespace dynabackup::aws
