// The three functions: an event in, a result for the caller or a failure of the invocation out.
#pragma once
#include <string>
#include <variant>

#include "apps/lambda/function_log.hpp"
#include "apps/lambda/function_settings.hpp"
#include "apps/lambda/time_limits.hpp"
#include "dynabackup/engine.hpp"
#include "lambda/function_event.hpp"
#include "lambda/runtime_api.hpp"

namespace dynabackup::bootstrap {

using outcome = std::variant<std::string, lambda::invocation_failure>;  ///< a result is JSON

/// The kind and text of an exception, as an invocation's failure.
lambda::invocation_failure failure_of(const std::exception& what);

class handlers {
 public:
  /// usage_error where the settings cannot work. Sends nothing.
  handlers(function_settings settings, std::string function_name, function_log& log);

  /// Takes the event out of the invocation. Throws nothing that an event or a service can cause.
  outcome handle(lambda::invocation& event);
  /// The work could not be ended in time and is still under way: nothing but the end of the process may follow.
  [[nodiscard]] bool broken_off() const { return engine_.broken_off(); }

 private:
  struct job;

  outcome record(lambda::invocation& event);
  std::string batch_result(const recorded& done) const;
  outcome answer_job(const lambda::invocation& event);
  void snapshot(job& work);
  void restore(job& work);
  report run(task<report> operation, progress& seen, const time_limit& limit);
  [[nodiscard]] s3_location incremental(std::string_view table) const;
  [[nodiscard]] s3_location snapshots(std::string_view table) const;

  function_settings settings_;
  std::string function_name_;
  function_log& log_;
  engine engine_;
};

}  // namespace dynabackup::bootstrap
