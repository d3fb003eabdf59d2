// bootstrap: what AWS Lambda starts. Settings once, then one event after the other.
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <optional>
#include <string>
#include <utility>

#include "apps/configuration/prepare_process.hpp"
#include "apps/lambda/handlers.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::bootstrap {
namespace {

using apps::environment_value;

constexpr int exit_failed = 1, exit_usage = 2;

function_log log_of_environment() {
  const std::optional<log_level> least = level_named(environment_value("AWS_LAMBDA_LOG_LEVEL").value_or(""));
  const bool json = environment_value("AWS_LAMBDA_LOG_FORMAT") == "JSON";
  return {json, least.value_or(log_level::info), stderr};
}

/// Runtime.NoSuchHandler or Runtime.ConfigInvalid, as AWS's own runtimes name them.
struct start_failure {
  lambda::invocation_failure why;
};

std::optional<start_failure> start(std::optional<handlers>& ready, function_log& log) {
  const std::string handler = environment_value("_HANDLER").value_or("");
  const std::optional<function> what = function_named(handler);
  if (!what)
    return start_failure{{"Runtime.NoSuchHandler",
                          fmt::format("there is no function {}: the handler has to be backup, snapshot or restore",
                                      handler.empty() ? "without a name (_HANDLER)" : "'" + handler + "'")}};
  try {
    ready.emplace(read_function_settings(*what, apps::read_process_settings({}, std::nullopt), environment_value),
                  environment_value("AWS_LAMBDA_FUNCTION_NAME").value_or(std::string(name_of(*what))), log);
  } catch (const std::exception& e) {
    return start_failure{{"Runtime.ConfigInvalid", e.what()}};
  }
  return std::nullopt;
}

void follow_trace(const std::string& id) {
  constexpr const char* name = "_X_AMZN_TRACE_ID";
  if (id.empty())
    unsetenv(name);
  else
    setenv(name, id.c_str(), 1);
}

/// One event and its answer.
void serve(lambda::runtime_api& platform, handlers& ready, function_log& log) {
  lambda::invocation event = platform.next();
  log.about(event.request_id);
  follow_trace(event.trace_id);
  outcome result = event.problem.empty() ? ready.handle(event)
                                         : outcome(lambda::invocation_failure{"Runtime.EventRefused", event.problem});
  std::optional<std::string> refused;
  if (auto* failure = std::get_if<lambda::invocation_failure>(&result)) {
    log.write(log_level::error, failure->type + ": " + failure->message);
    refused = platform.fail(event, *failure);
  } else {
    refused = platform.respond(event, std::get<std::string>(std::move(result)));
  }
  if (refused) log.write(log_level::error, *refused);
  // What is under way would go on with the next event, beyond its own deadline.
  if (ready.broken_off()) {
    log.write(log_level::fatal, "the work could not be stopped before the deadline: this process ends");
    std::_Exit(exit_failed);
  }
  log.about("");
}

int run(const std::string& address) {
  function_log log = log_of_environment();
  try {
    lambda::runtime_api platform(address);
    std::optional<handlers> ready;
    if (const std::optional<start_failure> failed = start(ready, log)) {
      log.write(log_level::fatal, failed->why.message);
      platform.fail_init(failed->why);
      return exit_failed;
    }
    for (;;) serve(platform, *ready, log);
  } catch (const std::exception& e) {
    log.write(log_level::fatal, e.what());
    return exit_failed;
  }
}

}  // namespace
}  // namespace dynabackup::bootstrap

int main() {
  using namespace dynabackup;
  apps::prepare_process();
  const std::optional<std::string> address = apps::environment_value("AWS_LAMBDA_RUNTIME_API");
  if (!address) {
    std::fputs("bootstrap: AWS_LAMBDA_RUNTIME_API is not set: AWS Lambda starts this program, nobody else can\n",
               stderr);
    return bootstrap::exit_usage;
  }
  return bootstrap::run(*address);
}
