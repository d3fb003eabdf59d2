#include "apps/lambda/handlers.hpp"

#include <fmt/format.h>
#include <stdexcept>
#include <utility>

#include "apps/configuration/prefixes.hpp"
#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::bootstrap {
namespace {

using id = apps::setting_id;
using apps::json_quoted;

template <class Kind>
bool is(const std::exception& what) {
  return dynamic_cast<const Kind*>(&what) != nullptr;
}

/// For people, of a batch that was recorded whole or in part.
std::string summary(const report& done, const recorded& changes) {
  return fmt::format(
      "{} changes to {}: {} written, {} deleted, {} there already, {} left out for newer ones, {} dead letters; "
      "{} requests (at most {} in flight), {} retries, {:.3f} s, lag {} ms",
      changes.records, done.destination, changes.puts, changes.deletes, changes.repeats, changes.coalesced,
      changes.dead_letters, done.requests, done.peak_in_flight, done.retries, done.seconds, changes.lag.count());
}

}  // namespace

lambda::invocation_failure failure_of(const std::exception& what) {
  const char* type = is<out_of_time>(what)       ? "Function.OutOfTime"
                     : is<interrupted>(what)     ? "Function.Interrupted"
                     : is<not_found_error>(what) ? "Function.NotFound"
                     : is<usage_error>(what)     ? "Function.Refused"
                     : is<service_error>(what)   ? "Function.Service"
                     : is<transport_error>(what) ? "Function.Network"
                     : is<format_error>(what)    ? "Function.Malformed"
                                                 : "Function.Failed";
  return {type, what.what()};
}

handlers::handlers(function_settings settings, std::string function_name, function_log& log)
    : settings_(std::move(settings)), function_name_(std::move(function_name)), log_(log), engine_(settings_.library) {}

outcome handlers::handle(lambda::invocation& event) {
  try {
    return settings_.what == function::backup ? record(event) : answer_job(event);
  } catch (const std::exception& e) {
    return failure_of(e);
  }
}

report handlers::run(task<report> operation, progress& seen, const time_limit& limit) {
  constexpr std::chrono::milliseconds look_every{200};
  const auto speak = [&] { log_.notices(seen); };
  try {
    report done = engine_.run(std::move(operation), speak, look_every, limit);
    speak();
    for (const std::string& warning : done.warnings) log_.write(log_level::warn, warning);
    return done;
  } catch (...) {
    speak();
    throw;
  }
}

s3_location handlers::incremental(std::string_view table) const {
  return apps::location_of(settings_.in_force[id::incremental_bucket], settings_.in_force[id::incremental_prefix],
                           table);
}

s3_location handlers::snapshots(std::string_view table) const {
  return apps::location_of(settings_.in_force[id::snapshot_bucket], settings_.in_force[id::snapshot_prefix], table);
}

outcome handlers::record(lambda::invocation& event) {
  record_options what;
  // The engine knows from the records which table {table} stands for.
  what.to = incremental("{table}");
  what.coalesce = settings_.coalesce;
  what.dead_letters = settings_.dead_letters;
  what.unversioned = settings_.unversioned;
  what.adopt = settings_.adopt;
  const time_limit limit = limit_until(event.deadline, both_clocks::now(), std::nullopt);
  progress seen;
  const report done = run(engine_.record_changes(std::move(what), std::move(event.event), seen), seen, limit);
  const recorded changes = done.changes.value_or(recorded{});
  const std::string metrics =
      metrics_line(wall_now(), {function_name_, done.source, event.request_id, changes, done.retries});
  std::fwrite(metrics.data(), 1, metrics.size(), stdout);
  std::fflush(stdout);
  log_.write(log_level::info, summary(done, changes));
  if (!changes.first_failed) return batch_result(changes);
  const std::string& from = *changes.first_failed;
  const bool late = std::chrono::steady_clock::now() >= limit.stop;
  const std::string why =
      fmt::format("not everything was recorded{}{}: {}", from.empty() ? "" : ", from sequence number " + from + " on",
                  late ? ", before the time was over" : "", changes.failure);
  // An answer that names nothing would be taken for a success.
  if (!settings_.partial_batch || from.empty()) return lambda::invocation_failure{"Function.BatchFailed", why};
  log_.write(log_level::error, why);
  return batch_result(changes);
}

std::string handlers::batch_result(const recorded& done) const {
  if (!done.first_failed) return R"({"batchItemFailures":[]})";
  return fmt::format(R"({{"batchItemFailures":[{{"itemIdentifier":{}}}]}})", json_quoted(*done.first_failed));
}

}  // namespace dynabackup::bootstrap
