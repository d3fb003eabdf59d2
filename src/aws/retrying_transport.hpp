// The outermost layer of a service's stack: one permit a request (held through its retries, so that a throttled
// service sees fewer of us), retries by verdict, pace, counters. Checks x-amz-crc32.
#pragma once
#include <cstdint>
#include <random>
#include <string>

#include "aws/pace.hpp"
#include "aws/retry_decision.hpp"
#include "aws/service_error.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"
#include "runtime/semaphore.hpp"

namespace dynabackup::aws {

class retrying_transport final : public transport {
 public:
  retrying_transport(transport& inner, runtime::clock& clock, runtime::semaphore& permits, failure_reader read_failure,
                     retry_policy policy, std::uint64_t seed);
  /// Returns the last answer, whatever it says, with attempts_header added; throws transport_error when the last
  /// attempt brought none. A 200 to a POST whose body is an XML <Error> (CompleteMultipartUpload) is judged by its
  /// code.
  task<response> send(request& r) override;

  /// Whose counters to keep; null = nobody's. The caller keeps it alive until the requests begun with it have ended.
  void count_into(progress* seen) { seen_ = seen; }
  [[nodiscard]] pace& shared_pace() { return pace_; }

 private:
  struct outcome;
  task<outcome> attempt(request& r, int number, progress* seen);
  static bool may_still_take_effect(const outcome& o);
  void judge(const request& r, outcome& o);
  void settle(verdict last, verdict retried_for, bool retried);
  double random_fraction();
  std::string invocation_id();

  transport& inner_;
  runtime::clock& clock_;
  runtime::semaphore& permits_;
  failure_reader read_failure_;
  retry_policy policy_;
  retry_quota quota_;
  pace pace_;
  std::mt19937_64 random_;
  progress* seen_ = nullptr;
};

}  // namespace dynabackup::aws
