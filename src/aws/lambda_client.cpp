#include "aws/lambda_client.hpp"

#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "aws/given_credentials.hpp"
#include "aws/retry_decision.hpp"
#include "aws/service_error.hpp"
#include "aws/signing_transport.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::aws {
namespace {

using std::chrono::milliseconds;

/// A mapping is a KB or two, with the longest of filters twenty.
constexpr std::size_t largest_answer = std::size_t{4} << 20;
constexpr int most_pages = 20;
constexpr int most_attempts = 3;
constexpr milliseconds first_pause{200};

/// Gives every attempt what is left of the time for all of them.
class until_then final : public transport {
 public:
  until_then(transport& network, runtime::clock& clock, runtime::clock::steady_time end)
      : network_(network), clock_(clock), end_(end) {}
  task<response> send(request& r) override {
    r.attempt_timeout = std::chrono::duration_cast<milliseconds>(end_ - clock_.steady_now());
    if (r.attempt_timeout.count() <= 0)
      throw transport_error(r.to.text(), transport_error::stage::before_send, "no time is left for it");
    co_return co_await network_.send(r);
  }

 private:
  transport& network_;
  runtime::clock& clock_;
  runtime::clock::steady_time end_;
};

request page_request(const endpoint& at, const std::string& source_arn, const std::string& marker) {
  request r;
  r.method = "GET";
  r.to = at.base.where;
  r.target = fmt::format("{}/2015-03-31/event-source-mappings/?EventSourceArn={}", at.base.path,
                         text::percent_encode(source_arn));
  if (!marker.empty()) r.target += "&Marker=" + text::percent_encode(marker);
  r.headers = {{"Accept", "application/json"}, {"Accept-Encoding", "identity"}};
  r.max_response_bytes = largest_answer;
  return r;
}

/// Some emulators answer with all the mappings they have.
void take_those_of(const std::string& source_arn, mapping_page page, std::vector<event_source_mapping>& found) {
  std::erase_if(page.mappings, [&](const event_source_mapping& m) { return m.source_arn != source_arn; });
  std::ranges::move(page.mappings, std::back_inserter(found));
}

}  // namespace

lambda_client::lambda_client(transport& network, runtime::clock& clock, credential_provider& who, endpoint at)
    : network_(network), clock_(clock), who_(who), at_(std::move(at)) {}

task<std::vector<event_source_mapping>> lambda_client::event_source_mappings(std::string source_arn,
                                                                             milliseconds patience) {
  // Keys that Lambda refuses are not fetched anew: that takes time, and whoever else uses them would have to wait.
  given_credentials who(co_await who_.current());
  const auto until = clock_.steady_now() + patience;
  until_then network(network_, clock_, until);
  signing_transport stack(network, who, clock_, at_.signing_region, "lambda", sigv4::dynamodb_rules);
  std::vector<event_source_mapping> found;
  std::string marker;
  for (int page = 0; page < most_pages; ++page) {
    const response answer = co_await ask(stack, page_request(at_, source_arn, marker), source_arn, until);
    mapping_page read = read_event_source_mappings(answer.body);
    marker = std::exchange(read.next, std::nullopt).value_or("");
    take_those_of(source_arn, std::move(read), found);
    if (marker.empty()) co_return found;
  }
  throw format_error(fmt::format("ListEventSourceMappings on {}: more than {} pages", source_arn, most_pages));
}

task<response> lambda_client::ask(transport& network, request r, std::string source_arn,
                                  runtime::clock::steady_time until) {
  milliseconds pause = first_pause;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    response answer = co_await network.send(r);
    if (answer.status == 200) co_return answer;
    service_failure failure = read_json_failure(answer);
    const bool again = classify(answer.status, failure.code) == verdict::throttled && attempt < most_attempts &&
                       clock_.steady_now() + pause < until;
    if (!again) {
      failure.operation = "ListEventSourceMappings";
      failure.resource = std::move(source_arn);
      failure.attempts = attempt;
      throw service_error(std::move(failure));
    }
    co_await clock_.sleep(pause);
  }
}

}  // namespace dynabackup::aws
