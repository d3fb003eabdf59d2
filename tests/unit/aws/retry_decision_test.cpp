#include "aws/retry_decision.hpp"

#include <doctest/doctest.h>
#include <optional>

using namespace dynabackup::aws;
using std::chrono::milliseconds;

TEST_CASE("the code decides first, then the status") {
  struct row {
    int status;
    const char* code;
    verdict expected;
  };
  const row rows[] = {
      // Answers the client above wants to see.
      {200, "", verdict::done},
      {204, "", verdict::done},
      {206, "", verdict::done},
      {304, "NotModified", verdict::done},
      {404, "NoSuchKey", verdict::done},
      {404, "", verdict::done},
      {412, "PreconditionFailed", verdict::done},
      {416, "InvalidRange", verdict::done},
      // Throttling, whatever the status.
      {400, "ProvisionedThroughputExceededException", verdict::throttled},
      {400, "ThrottlingException", verdict::throttled},
      {400, "Throttling", verdict::throttled},
      {400, "ThrottledException", verdict::throttled},
      {400, "RequestThrottledException", verdict::throttled},
      {400, "RequestThrottled", verdict::throttled},
      {400, "TooManyRequestsException", verdict::throttled},
      {400, "RequestLimitExceeded", verdict::throttled},
      {400, "BandwidthLimitExceeded", verdict::throttled},
      {400, "TransactionInProgressException", verdict::throttled},
      {400, "PriorRequestNotComplete", verdict::throttled},
      {400, "EC2ThrottledException", verdict::throttled},
      {500, "LimitExceededException", verdict::throttled},
      {503, "SlowDown", verdict::throttled},
      {429, "", verdict::throttled},
      {429, "TooManyRequests", verdict::throttled},
      // Passing trouble.
      {500, "", verdict::transient},
      {500, "InternalServerError", verdict::transient},
      {500, "InternalError", verdict::transient},
      {502, "", verdict::transient},
      {503, "", verdict::transient},
      {503, "ServiceUnavailable", verdict::transient},
      {504, "", verdict::transient},
      {408, "RequestTimeoutException", verdict::transient},
      {408, "", verdict::transient},
      {400, "RequestTimeout", verdict::transient},
      {400, "IncompleteBody", verdict::transient},
      {400, "InternalFailure", verdict::transient},
      {400, "ReplicatedWriteConflictException", verdict::transient},
      {409, "ReplicatedWriteConflictException", verdict::transient},
      {409, "ConditionalRequestConflict", verdict::transient},
      {409, "OperationAborted", verdict::transient},
      {400, "IDPCommunicationError", verdict::transient},
      // What no retry mends.
      {301, "PermanentRedirect", verdict::fail},
      {307, "TemporaryRedirect", verdict::fail},
      {400, "ValidationException", verdict::fail},
      {400, "ConditionalCheckFailedException", verdict::fail},
      {400, "ResourceNotFoundException", verdict::fail},
      {400, "ExpiredTokenException", verdict::fail},
      {400, "ExpiredToken", verdict::fail},
      {403, "ExpiredTokenException", verdict::fail},
      {400, "UnrecognizedClientException", verdict::fail},
      {403, "InvalidAccessKeyId", verdict::fail},
      {403, "SignatureDoesNotMatch", verdict::fail},
      {400, "TransactionConflictException", verdict::fail},
      {400, "ItemCollectionSizeLimitExceededException", verdict::fail},
      {403, "AccessDenied", verdict::fail},
      {409, "BucketNotEmpty", verdict::fail},
      {413, "RequestEntityTooLargeException", verdict::fail},
      {501, "NotImplemented", verdict::fail},
      {505, "", verdict::fail},
      {400, "", verdict::fail},
      {100, "", verdict::fail},
  };
  for (const auto& r : rows) {
    CAPTURE(r.status);
    CAPTURE(r.code);
    CHECK(classify(r.status, r.code) == r.expected);
  }
}

TEST_CASE("delays double up to the cap, and the jitter is full") {
  const retry_policy policy;
  struct row {
    verdict why;
    int retry;
    double random;
    int expected_ms;
  };
  const row rows[] = {
      {verdict::transient, 0, 0.0, 0},      {verdict::transient, 0, 0.5, 25},
      {verdict::transient, 0, 0.99, 49},    {verdict::transient, 1, 0.5, 50},
      {verdict::transient, 3, 0.5, 200},    {verdict::transient, 8, 0.5, 6'400},
      {verdict::transient, 9, 0.5, 10'000}, {verdict::transient, 1'000'000, 0.5, 10'000},
      {verdict::throttled, 0, 0.5, 500},    {verdict::throttled, 4, 0.5, 8'000},
      {verdict::throttled, 5, 0.5, 10'000}, {verdict::throttled, 2'000'000'000, 0.999, 19'980},
      {verdict::transient, -1, 0.5, 25},    {verdict::transient, 0, -1.0, 0},
      {verdict::transient, 0, 2.0, 50},
  };
  for (const auto& r : rows) {
    CAPTURE(r.retry);
    CAPTURE(r.random);
    CHECK(retry_delay(policy, r.why, r.retry, r.random, std::nullopt) == milliseconds{r.expected_ms});
  }
}

TEST_CASE("a server's hint moves the delay up by at most five seconds, never down") {
  const retry_policy policy;
  const auto delay = [&](int hint_ms) {
    return retry_delay(policy, verdict::transient, 0, 0.5, milliseconds{hint_ms});
  };
  CHECK(delay(0) == milliseconds{25});
  CHECK(delay(10) == milliseconds{25});
  CHECK(delay(1'500) == milliseconds{1'500});
  CHECK(delay(60'000) == milliseconds{5'025});
}

TEST_CASE("a hint is digits or nothing") {
  CHECK(parse_retry_after("1500") == milliseconds{1'500});
  CHECK(parse_retry_after("0") == milliseconds{0});
  CHECK(parse_retry_after("4294967295") == milliseconds{4'294'967'295});
  for (const char* bad : {"", " 5", "5 ", "-5", "+5", "5s", "1.5", "0x10", "4294967296", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(parse_retry_after(bad) == std::nullopt);
  }
}

TEST_CASE("the quota pays for transient failures only") {
  retry_quota quota;
  CHECK(quota.tokens() == 500);
  int retries = 0;
  while (quota.take(verdict::transient)) ++retries;
  CHECK(retries == 35);
  CHECK(quota.tokens() == 10);
  CHECK_FALSE(quota.take(verdict::transient));
  CHECK(quota.take(verdict::throttled));
  CHECK(quota.tokens() == 10);
}

TEST_CASE("successes give the quota back, never more than it had") {
  retry_quota quota(100);
  CHECK(quota.take(verdict::transient));
  quota.refund_first();
  CHECK(quota.tokens() == 87);
  quota.refund_retry(verdict::throttled);
  CHECK(quota.tokens() == 87);
  quota.refund_retry(verdict::transient);
  CHECK(quota.tokens() == 100);
  quota.refund_first();
  CHECK(quota.tokens() == 100);
}
