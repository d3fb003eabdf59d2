#include "aws/sts_client.hpp"

#include <fmt/format.h>
#include <optional>
#include <utility>

#include "aws/credential_answer.hpp"
#include "aws/given_credentials.hpp"
#include "aws/retrying_transport.hpp"
#include "aws/service_error.hpp"
#include "aws/signing_transport.hpp"
#include "dynabackup/error.hpp"
#include "runtime/semaphore.hpp"
#include "text/codecs.hpp"

namespace dynabackup::aws {
namespace {

constexpr std::size_t largest_answer = std::size_t{256} << 10;
constexpr std::chrono::seconds attempt_timeout{10};
constexpr int most_attempts = 5;

std::string form_of(std::string_view operation, const role& what) {
  return fmt::format("Action={}&Version=2011-06-15&RoleArn={}&RoleSessionName={}", operation,
                     text::percent_encode(what.arn), text::percent_encode(what.session_name));
}

void add(std::string& form, std::string_view name, std::string_view value) {
  if (!value.empty()) form += fmt::format("&{}={}", name, text::percent_encode(value));
}

// For whoever waits for credentials nothing was sent yet, and STS has been tried often enough.
transport_error final_failure(const transport_error& e, std::string_view operation, std::string_view role_arn) {
  std::string_view what = e.what();
  if (const std::string prefix = e.endpoint + ": "; what.starts_with(prefix)) what.remove_prefix(prefix.size());
  transport_error out(e.endpoint, transport_error::stage::before_send,
                      fmt::format("{} on {}: {}", operation, role_arn, what));
  out.retryable = false;
  return out;
}

}  // namespace

sts_client::sts_client(transport& network, runtime::clock& clock, endpoint at, std::uint64_t seed)
    : network_(network), clock_(clock), at_(std::move(at)), seed_(seed) {}

task<credentials> sts_client::assume_role(role what, credentials as) {
  std::string form = form_of("AssumeRole", what);
  add(form, "DurationSeconds", what.duration_seconds);
  add(form, "ExternalId", what.external_id);
  given_credentials who(std::move(as));
  co_return co_await call("AssumeRole", std::move(what.arn), std::move(form), &who);
}

task<credentials> sts_client::assume_role_with_web_identity(role what, std::string token) {
  std::string form = form_of("AssumeRoleWithWebIdentity", what);
  add(form, "WebIdentityToken", token);
  co_return co_await call("AssumeRoleWithWebIdentity", std::move(what.arn), std::move(form), nullptr);
}

task<credentials> sts_client::call(std::string operation, std::string role_arn, std::string form,
                                   credential_provider* who) {
  request r;
  r.method = "POST";
  r.to = at_.base.where;
  r.target = at_.base.path + "/";
  r.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept-Encoding", "identity"}};
  r.body = std::move(form);
  r.max_response_bytes = largest_answer;
  r.attempt_timeout = attempt_timeout;

  std::optional<signing_transport> signature;
  if (who != nullptr) signature.emplace(network_, *who, clock_, at_.signing_region, "sts", sigv4::dynamodb_rules);
  runtime::semaphore permit(1);
  retry_policy patience;
  patience.max_attempts = most_attempts;
  retrying_transport stack(signature ? static_cast<transport&>(*signature) : network_, clock_, permit, read_xml_failure,
                           patience, seed_++);
  std::optional<transport_error> unanswered;
  response answer;
  try {
    answer = co_await stack.send(r);
  } catch (const transport_error& e) {
    unanswered = final_failure(e, operation, role_arn);
  }
  if (unanswered) throw *unanswered;
  if (answer.status != 200) {
    service_failure failure = read_xml_failure(answer);
    failure.operation = operation;
    failure.resource = role_arn;
    throw service_error(std::move(failure));
  }
  credentials found = read_sts_credentials(answer.body, operation);
  set_by_our_clock(found, answer, clock_.now());
  co_return found;
}

}  // namespace dynabackup::aws
