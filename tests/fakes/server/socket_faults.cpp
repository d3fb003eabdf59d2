#include "fakes/server/socket_faults.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string>

#include "crypto/crc32.hpp"
#include "fakes/server/operation.hpp"

namespace dynabackup::fakes {
namespace {

using enum fault_kind;

constexpr std::array<std::string_view, fault_kinds> names{
    "closed_before",    "reset",       "refused",  "error_html", "error_empty",  "error_service", "throttled",
    "completion_error", "lost_answer", "cut_head", "cut_body",   "flipped_byte", "slow_drip",     "late",
    "late_effect",      "closed_after"};

constexpr std::array general{closed_before, reset,    refused,  error_html, error_empty, error_service, throttled,
                             lost_answer,   cut_head, cut_body, slow_drip,  late,        late_effect,   closed_after};

constexpr std::string_view html =
    "<!DOCTYPE html><html><head><title>500 Internal Server Error</title></head><body><h1>500</h1></body></html>";

/// 1…most, whatever the standard library: std::uniform_int_distribution differs between them.
std::chrono::milliseconds up_to(std::uint64_t most, std::uint64_t chance) {
  return std::chrono::milliseconds(1 + chance % most);
}

response answer_of(int status, std::string_view content_type, std::string body) {
  response answer;
  answer.status = status;
  answer.headers.push_back({"Content-Type", std::string(content_type)});
  answer.body = std::move(body);
  return answer;
}

response dynamodb_error(int status, std::string_view type, std::string_view message) {
  response answer = answer_of(status, "application/x-amz-json-1.0",
                              fmt::format(R"({{"__type":"{}","message":"{}"}})", type, message));
  answer.headers.push_back({"x-amz-crc32", std::to_string(crypto::crc32(answer.body))});
  answer.headers.push_back({"x-amzn-RequestId", "FAULT"});
  return answer;
}

response s3_error(int status, std::string_view code, std::string_view message) {
  response answer =
      answer_of(status, "application/xml",
                fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}"
                            "</Message><RequestId>FAULT</RequestId></Error>",
                            code, message));
  answer.headers.push_back({"x-amz-request-id", "FAULT"});
  return answer;
}

response throttle(bool dynamodb, std::uint64_t chance) {
  if (!dynamodb) return s3_error(503, "SlowDown", "Please reduce your request rate.");
  if (chance % 2 == 0) {
    return dynamodb_error(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
                          "The level of configured provisioned throughput for the table was exceeded.");
  }
  return dynamodb_error(400, "com.amazon.coral.availability#ThrottlingException",
                        "Rate of requests exceeds the limit.");
}

response service_failure(bool dynamodb) {
  if (!dynamodb) return s3_error(500, "InternalError", "We encountered an internal error. Please try again.");
  return dynamodb_error(500, "com.amazonaws.dynamodb.v20120810#InternalServerError", "Internal server error");
}

}  // namespace

std::string_view name_of(fault_kind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<fault_kind> kind_of(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<fault_kind>(found - names.begin());
}

bool socket_faults::strikes() { return static_cast<double>(random_() >> 11) * 0x1p-53 < fraction_; }

bool socket_faults::allowed(fault_kind kind) const {
  return kinds_.empty() || std::ranges::find(kinds_, kind) != kinds_.end();
}

std::size_t socket_faults::processed(std::size_t requests) {
  const bool struck = strikes();
  const std::uint64_t chance = random_();
  return struck && allowed(throttled) && requests != 0 ? chance % requests : requests;
}

std::optional<fault> socket_faults::decide(const request& r) {
  // Always as many draws, so that what one request meets does not depend on what another one was.
  const bool struck = strikes();
  const std::uint64_t which = random_();
  const std::uint64_t chance = random_();
  if (!struck) return std::nullopt;
  std::vector<fault_kind> possible(general.begin(), general.end());
  if (is_dynamodb(r)) possible.push_back(flipped_byte);
  if (operation_of(r) == "CompleteMultipartUpload") possible.push_back(completion_error);
  std::erase_if(possible, [this](fault_kind kind) { return !allowed(kind); });
  if (possible.empty()) return std::nullopt;
  fault f{possible[which % possible.size()], chance, {}};
  if (f.kind == late) f.delay = up_to(500, chance);
  if (f.kind == late_effect) f.delay = up_to(60'000, chance);
  if (f.kind == refused) f.delay = up_to(20, chance);
  if (f.kind == slow_drip) f.delay = up_to(20, chance);
  return f;
}

response socket_faults::stand_in(const fault& f, const request& r) const {
  const bool dynamodb = is_dynamodb(r);
  switch (f.kind) {
    case error_html:
      return answer_of(500, "text/html", std::string(html));
    case error_empty:
      return answer_of(503, "text/plain", {});
    case throttled:
      return throttle(dynamodb, f.chance);
    case completion_error: {
      response answer = s3_error(200, "InternalError", "We encountered an internal error. Please try again.");
      // S3 sends white space while it works, and with it the status before it knows.
      answer.body.insert(answer.body.find('\n') + 1, "    ");
      return answer;
    }
    default:
      return service_failure(dynamodb);
  }
}

}  // namespace dynabackup::fakes
