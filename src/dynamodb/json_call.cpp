#include "dynamodb/json_call.hpp"

#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "aws/service_error.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::dynamodb {
namespace {

constexpr std::size_t max_small_bytes = std::size_t{8} << 20;
constexpr std::chrono::seconds bulk_timeout{60};
constexpr std::chrono::seconds small_timeout{20};

}  // namespace

task<response> send_call(const json_service& to, json_call call) {
  request r;
  r.method = "POST";
  r.to = to.at;
  r.target = to.target;
  r.headers = {{"Content-Type", "application/x-amz-json-1.0"},
               {"X-Amz-Target", fmt::format("{}.{}", to.api, call.operation)},
               {"Accept-Encoding", "identity"}};
  r.body = std::move(call.body);
  r.max_response_bytes = call.max_response_bytes;
  r.budget = call.budget;
  r.attempt_timeout = call.max_response_bytes > max_small_bytes ? bulk_timeout : small_timeout;
  response answer = co_await to.network.send(r);
  if (answer.status < 200 || answer.status > 299) {
    service_failure failure = aws::read_json_failure(answer);
    failure.operation = call.operation;
    failure.resource = call.resource;
    throw service_error(std::move(failure));
  }
  co_return answer;
}

std::string json_text(std::string_view text) {
  std::string result;
  text::append_json_string(result, text);
  return result;
}

}  // namespace dynabackup::dynamodb
