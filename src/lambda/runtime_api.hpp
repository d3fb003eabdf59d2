// Lambda's Runtime API (2018-06-01) in four verbs, over one connection of plain HTTP. Blocking on purpose: between two
// invocations the process is frozen, so nothing else may be under way then.
#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"

namespace dynabackup::lambda {

struct invocation {
  std::string request_id;
  std::string invocation_id;  ///< goes back with the answer; empty where the platform gives none
  std::string function_arn;
  std::string trace_id;
  std::chrono::sys_time<std::chrono::milliseconds> deadline;
  std::string event;    ///< the body as it came
  std::string problem;  ///< why it cannot be handled and is to be failed at once; empty = it can
};

struct invocation_failure {
  std::string type;  ///< "Category.Reason"
  std::string message;
};

/// The Runtime API is of no more use: it reported an error of the container, or cannot be talked to. The process has to
/// end; the platform starts another.
class runtime_gone : public error {
 public:
  using error::error;
};

class runtime_api {
 public:
  /// `address` is what AWS_LAMBDA_RUNTIME_API says, "host:port"; usage_error when it is something else.
  explicit runtime_api(std::string_view address);
  ~runtime_api();
  runtime_api(const runtime_api&) = delete;
  runtime_api& operator=(const runtime_api&) = delete;

  /// The next event, however long it takes to come. Lost connections and useless answers are tried again a few times,
  /// then runtime_gone.
  invocation next();
  /// Hands in a result, JSON. nullopt when it was taken; else why not, after the invocation was failed for that.
  std::optional<std::string> respond(const invocation& to, std::string json);
  /// Reports that an invocation failed. nullopt when that was taken; else why not.
  std::optional<std::string> fail(const invocation& what, const invocation_failure& why);
  /// Reports that the function cannot start. The process then has to end.
  void fail_init(const invocation_failure& why);

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

/// The document that reports a failure.
std::string failure_json(const invocation_failure& why);

}  // namespace dynabackup::lambda
