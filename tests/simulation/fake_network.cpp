#include "simulation/fake_network.hpp"

#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "dynabackup/error.hpp"
#include "simulation/forged_answers.hpp"

namespace dynabackup::simulation {
namespace {

using stage = transport_error::stage;

transport_error broken(const request& r, stage where, const char* what) {
  return transport_error(r.to.text(), where, what);
}

/// How a fault shows that brings no answer at all.
std::optional<transport_error> failure_of(const request& r, const fate& f) {
  if (f.answers_after > r.attempt_timeout) return broken(r, stage::after_send, "timed out (simulated)");
  switch (f.kind) {
    case fault::refused:
      return broken(r, stage::before_send, "connection refused (simulated)");
    case fault::reset:
    case fault::lost_answer:
    case fault::late_effect:
      return broken(r, stage::after_send, "connection reset (simulated)");
    case fault::cut_answer:
      return broken(r, stage::after_send, "the answer was cut (simulated)");
    default:
      return std::nullopt;
  }
}

/// A table that throttles of its own accord does so within what a request bears.
response serve(world& outside, fault_plan& plan, const request& r, service to) {
  auto& processed = outside.tables.traits().processed;
  decltype(fakes::dynamodb_traits::processed) spared;
  if (plan.bears_no_more(r)) std::swap(spared, processed);
  response answer = outside.serve(r, to);
  if (spared) std::swap(spared, processed);
  if (answer.status == 400 && answer.body.find("ProvisionedThroughputExceeded") != std::string::npos) plan.bear(r);
  return answer;
}

}  // namespace

/// One request on its way: its effect is an event of the world. Whoever is dropped while the request is still being
/// sent may or may not have been in time.
struct fake_network::delivery {
  delivery(world& outside, fault_plan& plan, const request& r, service to, const fate& f) : world(outside), plan(plan) {
    if (!f.acts) return;
    auto copy = std::make_shared<request>(r);
    copy->budget = nullptr;
    effect = world.time.after(f.acts_after, [copy, to, &outside, &plan, answer = answer, kind = f.kind] {
      *answer = serve(outside, plan, *copy, to);
      const bool late = kind == fault::late_effect || kind == fault::stuck;
      if (late && copy->target.find("/checkpoints/") != std::string::npos) outside.late_checkpoint = true;
      outside.say(std::string("  ") + (kind == fault::none ? "" : name_of(kind)) + " effect " +
                  operation_of(*copy, to) + " " + std::to_string((*answer)->status) +
                  ((*answer)->status < 400 ? std::string() : " " + (*answer)->body));
    });
  }
  delivery(const delivery&) = delete;
  delivery& operator=(const delivery&) = delete;
  ~delivery() {
    if (!over && effect && !*answer && plan.chance().one_in(2)) world.time.take_back(*effect);
  }

  simulation::world& world;
  fault_plan& plan;
  std::shared_ptr<std::optional<response>> answer = std::make_shared<std::optional<response>>();
  std::optional<fakes::timeline::event> effect;
  bool over = false;
};

response fake_network::answer_to(const request& r, service to, const fate& f, const delivery& d) {
  switch (f.kind) {
    case fault::html_error:
    case fault::empty_error:
      return gateway_error(f.kind == fault::html_error && r.method != "HEAD", plan_.chance());
    case fault::acted_error:
      return service_refusal(to, r, 500, to == service::s3 ? "InternalError" : "InternalServerError", "Try again");
    case fault::throttled:
      return throttling(to, r, plan_.chance());
    case fault::error_in_200:
      return error_in_success();
    case fault::conflict:
      return service_refusal(to, r, 409, "ConditionalRequestConflict", "Please try again.");
    default:
      break;
  }
  if (!*d.answer) throw std::logic_error("an answer before its effect");
  response answer = *std::move(*d.answer);
  if (f.kind == fault::altered) alter(answer, operation_of(r, to), plan_.chance());
  return answer;
}

task<response> fake_network::send(request& r) {
  if (r.to.host == key_host) {
    co_await clock_.sleep(plan_.chance().between(milliseconds{1}, milliseconds{500}));
    response keys = world_.give_keys();
    keys.body.reserve(keys.body.size() + response::body_padding);
    co_return keys;
  }
  const service to = r.to.host == s3_host || !region_of_host(r.to.host).empty() ? service::s3 : service::dynamodb;
  if (to == service::dynamodb && r.to.host != dynamodb_host)
    throw broken(r, stage::before_send, "no such host (simulated)");
  ++requests_;
  const fate f = plan_.draw(r, to);
  world_.say("send " + operation_of(r, to) + (f.kind == fault::none ? "" : std::string(": ") + name_of(f.kind)));
  if (f.kind == fault::expired_token) world_.revoke_tokens();
  delivery sent(world_, plan_, r, to, f);
  co_await clock_.sleep(std::min(f.answers_after, r.attempt_timeout));
  sent.over = true;
  const std::optional<transport_error> failure = failure_of(r, f);
  if (failure) throw transport_error(*failure);
  response answer = answer_to(r, to, f, sent);
  if (answer.body.size() > r.max_response_bytes) throw broken(r, stage::after_send, "a body larger than allowed");
  if (r.budget != nullptr) answer.charge = co_await r.budget->acquire(answer.body.size());
  answer.body.reserve(answer.body.size() + response::body_padding);
  co_return answer;
}

}  // namespace dynabackup::simulation
