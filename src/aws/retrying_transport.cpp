#include "aws/retrying_transport.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <utility>

#include "crypto/crc32.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

class under_way {
 public:
  explicit under_way(progress* seen) : seen_(seen) {
    if (seen_ == nullptr) return;
    ++seen_->in_flight;
    seen_->peak_in_flight = std::max(seen_->peak_in_flight, seen_->in_flight);
  }
  under_way(const under_way&) = delete;
  under_way& operator=(const under_way&) = delete;
  ~under_way() {
    if (seen_ != nullptr) --seen_->in_flight;
  }

 private:
  progress* seen_;
};

// The SDKs' 500 tokens are made for a few requests at a time. Ours cover the attempts that max_attempts promises to
// every request in flight, or one reset of all connections would end a run.
int quota_tokens(std::size_t permits, int max_attempts) {
  const double wanted = static_cast<double>(permits) * (max_attempts - 1) * retry_quota::transient_cost;
  return static_cast<int>(
      std::clamp<double>(wanted, retry_quota::standard_tokens, std::numeric_limits<int>::max() / 2));
}

bool crc_differs(const response& answer) {
  const auto text = answer.header_value("x-amz-crc32");
  std::uint32_t expected = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), expected);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return false;
  return crypto::crc32(answer.body) != expected;
}

bool is_error_in_disguise(const request& r, const response& answer) {
  if (r.method != "POST" || answer.status != 200) return false;
  const auto start = answer.body.find_first_not_of(" \t\r\n");
  return start != std::string::npos && answer.body[start] == '<';
}

transport_error with_attempts(const transport_error& e, int attempts) {
  std::string_view what = e.what();
  const std::string prefix = e.endpoint + ": ";
  if (what.starts_with(prefix)) what.remove_prefix(prefix.size());
  transport_error out(e.endpoint, e.where,
                      attempts > 1 ? fmt::format("{} (after {} attempts)", what, attempts) : std::string(what));
  out.retryable = e.retryable;
  return out;
}

void set_attempts(response& answer, int attempts) {
  std::erase_if(answer.headers, [](const header& h) { return h.name == attempts_header; });
  // In front: whatever spelling a server might send of it, ours is the one that is found.
  answer.headers.insert(answer.headers.begin(), {std::string(attempts_header), std::to_string(attempts)});
}

}  // namespace

struct retrying_transport::outcome {
  std::optional<response> answer;
  std::optional<transport_error> failure;
  verdict what = verdict::transient;
  std::optional<std::chrono::milliseconds> hint;
};

/// Sent, and neither refused nor acknowledged: a lost connection, or a server error that says nothing of the effect.
bool retrying_transport::may_still_take_effect(const outcome& o) {
  if (o.answer && o.answer->unsettled) return true;  // sent twice: what is acknowledged is the second
  if (o.failure) return o.failure->where == transport_error::stage::after_send;
  return o.what == verdict::transient && o.answer->status >= 500;
}

retrying_transport::retrying_transport(transport& inner, runtime::clock& clock, runtime::semaphore& permits,
                                       failure_reader read_failure, retry_policy policy, std::uint64_t seed)
    : inner_(inner),
      clock_(clock),
      permits_(permits),
      read_failure_(read_failure),
      policy_(policy),
      quota_(quota_tokens(permits.permits(), policy.max_attempts)),
      random_(seed) {}

task<response> retrying_transport::send(request& r) {
  const auto permit = co_await permits_.acquire();
  progress* const seen = seen_;
  const under_way counted(seen);
  r.set_header("amz-sdk-invocation-id", invocation_id());
  verdict retried_for = verdict::done;
  bool unsettled = false;
  for (int number = 1;; ++number) {
    std::chrono::milliseconds delay{0};
    {
      outcome o = co_await attempt(r, number, seen);
      const bool again = (o.what == verdict::transient || o.what == verdict::throttled) &&
                         number < policy_.max_attempts && quota_.take(o.what);
      if (!again) {
        if (o.failure) throw with_attempts(*o.failure, number);
        settle(o.what, retried_for, number > 1);
        set_attempts(*o.answer, number);
        o.answer->unsettled = unsettled || o.answer->unsettled;
        co_return *std::move(o.answer);
      }
      unsettled = unsettled || may_still_take_effect(o);
      retried_for = o.what;
      delay = retry_delay(policy_, o.what, number - 1, random_fraction(), o.hint);
      // The answer ends here: a share of the byte budget must not be held asleep.
    }
    co_await clock_.sleep(delay);
  }
}

task<retrying_transport::outcome> retrying_transport::attempt(request& r, int number, progress* seen) {
  const auto wait = pace_.take(clock_.steady_now());
  if (wait.count() > 0) co_await clock_.sleep(wait);
  if (r.before_attempt) r.before_attempt();
  r.set_header("amz-sdk-request", fmt::format("attempt={}; max={}", number, std::max(policy_.max_attempts, 1)));
  if (seen != nullptr) {
    ++seen->requests;
    if (number > 1) ++seen->retries;
  }
  outcome o;
  try {
    o.answer = co_await inner_.send(r);
  } catch (const transport_error& e) {
    o.failure = e;
    o.what = e.retryable ? verdict::transient : verdict::fail;
  }
  if (o.answer) {
    judge(r, o);
    pace_.answered(clock_.steady_now(), o.what == verdict::throttled);
    if (seen != nullptr && o.what == verdict::throttled) ++seen->throttles;
  }
  co_return o;
}

void retrying_transport::judge(const request& r, outcome& o) {
  const response& answer = *o.answer;
  if (crc_differs(answer)) {
    o.failure.emplace(r.to.text(), transport_error::stage::after_send, "the answer does not match its x-amz-crc32");
    o.what = verdict::transient;
    return;
  }
  std::string code;
  int status = answer.status;
  if (status >= 300) {
    code = read_failure_(answer).code;
  } else if (is_error_in_disguise(r, answer)) {
    code = read_failure_(answer).code;
    if (!code.empty()) status = 400;
  }
  o.what = classify(status, code);
  // The parts are as good as gone: only a new upload can succeed (S3 User Guide, "Conditional writes").
  if (r.method == "POST" && code == "ConditionalRequestConflict") o.what = verdict::fail;
  o.hint = parse_retry_after(answer.header_value("x-amz-retry-after"));
}

void retrying_transport::settle(verdict last, verdict retried_for, bool retried) {
  // A definite refusal is a healthy service's answer as well; with many of them in a long run the quota would run dry.
  if (last != verdict::done && last != verdict::fail) return;
  if (retried) {
    quota_.refund_retry(retried_for);
  } else {
    quota_.refund_first();
  }
}

double retrying_transport::random_fraction() { return static_cast<double>(random_() >> 11) * 0x1.0p-53; }

std::string retrying_transport::invocation_id() {
  const std::uint64_t a = random_(), b = random_();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", a >> 32, (a >> 16) & 0xFFFF, a & 0xFFF,
                     0x8000 | ((b >> 48) & 0x3FFF), b & 0xFFFFFFFFFFFF);
}

}  // namespace dynabackup::aws
