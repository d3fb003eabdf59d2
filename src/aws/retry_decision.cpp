#include "aws/retry_decision.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace dynabackup::aws {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::string_view, 14> throttling_codes{"BandwidthLimitExceeded",
                                                            "EC2ThrottledException",
                                                            "LimitExceededException",
                                                            "PriorRequestNotComplete",
                                                            "ProvisionedThroughputExceededException",
                                                            "RequestLimitExceeded",
                                                            "RequestThrottled",
                                                            "RequestThrottledException",
                                                            "SlowDown",
                                                            "ThrottledException",
                                                            "Throttling",
                                                            "ThrottlingException",
                                                            "TooManyRequestsException",
                                                            "TransactionInProgressException"};

constexpr std::array<std::string_view, 13> transient_codes{"ConditionalRequestConflict",
                                                           "IDPCommunicationError",
                                                           "IncompleteBody",
                                                           "InternalError",
                                                           "InternalErrors",
                                                           "InternalFailure",
                                                           "InternalServerError",
                                                           "OperationAborted",
                                                           "ReplicatedWriteConflictException",
                                                           "RequestTimeout",
                                                           "RequestTimeoutException",
                                                           "ServiceUnavailable",
                                                           "ServiceUnavailableException"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& codes, std::string_view code) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

verdict by_status(int status) {
  if (status >= 200 && status < 300) return verdict::done;
  switch (status) {
    case 304:
    case 404:
    case 412:
    case 416:
      return verdict::done;
    case 429:
      return verdict::throttled;
    case 408:
    case 500:
    case 502:
    case 503:
    case 504:
      return verdict::transient;
    default:
      return verdict::fail;
  }
}

}  // namespace

verdict classify(int status, std::string_view code) {
  if (contains(throttling_codes, code)) return verdict::throttled;
  if (contains(transient_codes, code)) return verdict::transient;
  return by_status(status);
}

milliseconds retry_delay(const retry_policy& policy, verdict why, int retry, double random,
                         std::optional<milliseconds> hint) {
  const auto base = why == verdict::throttled ? policy.throttle_base : policy.transient_base;
  // 2^40 times any base is far over any cap, and no double overflows on the way.
  const double grown = std::ldexp(static_cast<double>(base.count()), std::clamp(retry, 0, 40));
  const double ceiling = std::min(grown, static_cast<double>(policy.cap.count()));
  const milliseconds delay{static_cast<milliseconds::rep>(ceiling * std::clamp(random, 0.0, 1.0))};
  if (!hint) return delay;
  return std::clamp(*hint, delay, delay + std::chrono::seconds{5});
}

std::optional<milliseconds> parse_retry_after(std::string_view value) {
  std::uint32_t number = 0;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || failure != std::errc{} || end != value.data() + value.size()) return std::nullopt;
  return milliseconds{number};
}

bool retry_quota::take(verdict why) {
  if (why != verdict::transient) return true;
  if (tokens_ < transient_cost) return false;
  tokens_ -= transient_cost;
  return true;
}

void retry_quota::refund_retry(verdict why) {
  if (why == verdict::transient) give(transient_cost);
}

void retry_quota::refund_first() { give(1); }

void retry_quota::give(int tokens) { tokens_ = std::min(most_, tokens_ + tokens); }

}  // namespace dynabackup::aws
