// Snapshot and restore on request: over HTTP with a status and a document, invoked directly with the document alone, or
// a failure where HTTP would have an error status.
#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "apps/configuration/prefixes.hpp"
#include "apps/configuration/text_forms.hpp"
#include "apps/lambda/handlers.hpp"
#include "dynabackup/request_errors.hpp"

namespace dynabackup::bootstrap {
namespace {

using id = apps::setting_id;
using apps::json_quoted;

/// API Gateway gives up after 29 s.
constexpr std::chrono::seconds gateway_budget{25};
constexpr int ok = 200, accepted = 202, bad_request = 400, not_found = 404, conflict = 409, failed = 500,
              unavailable = 503;

/// Binds a token to what it goes on with; the checkpoint itself is in the bucket.
std::string token_of(std::string_view table, std::string_view snapshot) {
  constexpr std::uint64_t basis = 0xcbf29ce484222325, prime = 0x100000001b3;  // FNV-1a
  std::uint64_t hash = basis;
  for (const std::string_view part : {table, std::string_view("\n"), snapshot})
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * prime;
  return fmt::format("restore-{:016x}", hash);
}

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + json_quoted(text);
  return out + "]";
}

std::string result_json(const report& done, std::string_view table, std::string_view snapshot) {
  return fmt::format(
      R"({{"status":"done","operation":{},"tableName":{},"snapshotFilename":{},"source":{},"destination":{},)"
      R"("itemsRead":{},"itemsWritten":{},"bytesWritten":{},"seconds":{:.3f},"warnings":{}}})",
      json_quoted(done.operation), table.empty() ? "null" : json_quoted(table), json_quoted(snapshot),
      json_quoted(done.source), json_quoted(done.destination), done.items_read, done.items_written, done.bytes_written,
      done.seconds, json_list(done.warnings));
}

/// Why a finished operation is no success; empty when it is one.
std::string shortcoming(const report& done) {
  if (done.whole()) return "";
  std::string why = fmt::format("the {} finished, but not whole", done.operation);
  if (!done.not_covered.empty()) why += ": not covered: " + done.not_covered;
  if (done.items_refused > 0) why += fmt::format("; {} items were refused", done.items_refused);
  if (done.items_differing > 0) why += fmt::format("; {} items differ", done.items_differing);
  if (done.objects_skipped > 0)
    why += fmt::format("; {} objects that are none of ours were skipped", done.objects_skipped);
  constexpr std::size_t named = 5;
  for (std::size_t i = 0; i < std::min(named, done.findings.size()); ++i) {
    const finding& found = done.findings[i];
    why += fmt::format("; {} {}{}: {}", found.kind, found.object,
                       found.line > 0 ? fmt::format(", line {}", found.line) : "", found.detail);
  }
  return why;
}

/// What the request itself makes impossible.
class bad_request_error : public error {
 public:
  using error::error;
};

int status_of(const std::exception& what) {
  if (dynamic_cast<const bad_request_error*>(&what) != nullptr) return bad_request;
  if (dynamic_cast<const conflict_error*>(&what) != nullptr) return conflict;
  if (dynamic_cast<const not_found_error*>(&what) != nullptr) return not_found;
  const auto* service = dynamic_cast<const service_error*>(&what);
  return service != nullptr && service->failure.code == "ResourceNotFoundException" ? not_found : failed;
}

std::string type_of(int status, const std::exception& what) {
  switch (status) {
    case bad_request:
      return "Function.BadRequest";
    case not_found:
      return "Function.NotFound";
    case conflict:
      return "Function.Conflict";
    default:
      return failure_of(what).type;
  }
}

/// In words of a request, not of the command line.
std::string message_of(const std::exception& what, const lambda::job_request& wanted) {
  if (const auto* taken = dynamic_cast<const conflict_error*>(&what))
    return taken->fact + (wanted.token ? ". Without the token it begins anew" : ": choose another name");
  if (dynamic_cast<const no_checkpoint_error*>(&what) != nullptr)
    return "that restore has ended; without a token it begins anew";
  return what.what();
}

}  // namespace

/// One request for a snapshot or a restore, and its answer.
struct handlers::job {
  lambda::job_request wanted;
  time_limit limit;
  progress seen;
  std::string request_id;
  bool by_http = false;
  int status = ok;
  std::string document;                // of a success
  lambda::invocation_failure failure;  // of anything else

  void succeed(int with, std::string json) {
    status = with;
    document = std::move(json);
  }
  void fail(int with, std::string type, std::string message) {
    status = with;
    failure = {std::move(type), std::move(message)};
  }
  void finish(const report& done, std::string_view table, std::string_view snapshot) {
    if (const std::string why = shortcoming(done); !why.empty()) return fail(failed, "Function.NotWhole", why);
    succeed(ok, result_json(done, table, snapshot));
  }
  [[nodiscard]] outcome answer(bool by_http) const {
    if (!by_http && document.empty()) return failure;
    if (!by_http) return document;
    if (!document.empty()) return lambda::http_answer(status, document);
    return lambda::http_answer(status, fmt::format(R"({{"message":{},"requestId":{}}})", json_quoted(failure.message),
                                                   json_quoted(request_id)));
  }
};

outcome handlers::answer_job(const lambda::invocation& event) {
  const lambda::function_event what = lambda::read_function_event(event.event);
  std::optional<std::chrono::seconds> budget;
  if (what.by_http()) budget = settings_.http_budget;
  if (what.from == lambda::function_event::caller::gateway && !budget) budget = gateway_budget;
  job work;
  work.limit = limit_until(event.deadline, both_clocks::now(), budget);
  work.request_id = event.request_id;
  work.by_http = what.by_http();
  try {
    try {
      if (!what.problem.empty()) throw bad_request_error(what.problem);
      work.wanted = lambda::read_job_request(what.request);
    } catch (const format_error& e) {
      throw bad_request_error(e.what());
    }
    settings_.what == function::snapshot ? snapshot(work) : restore(work);
  } catch (const std::exception& e) {
    const int status = status_of(e);
    work.fail(status, type_of(status, e), message_of(e, work.wanted));
  }
  if (what.by_http() && !work.failure.message.empty())
    log_.write(work.status < failed ? log_level::warn : log_level::error, work.failure.message);
  return work.answer(what.by_http());
}

namespace {

/// Names that the caller gave; what is wrong with them is the caller's fault.
template <class Check>
auto from_caller(Check check) {
  try {
    return check();
  } catch (const usage_error& e) {
    throw bad_request_error(e.what());
  }
}

}  // namespace

void handlers::snapshot(job& work) {
  const auto& [table, name, token] = work.wanted;
  const std::string table_name = table ? from_caller([&] { return apps::table_name_of(*table); }) : "";
  if (name) from_caller([&] { apps::check_snapshot_name(*name); });
  for (const id prefix : {id::incremental_prefix, id::snapshot_prefix})
    if (!table && apps::names_table(settings_.in_force[prefix].text))
      throw bad_request_error("tableName is missing: the function's prefix holds {table}");
  snapshot_options what{.from = incremental(table_name), .to = snapshots(table_name), .name = name.value_or("")};
  apps::check_nesting(what.from, what.to);
  try {
    const report done = run(engine_.snapshot(what, work.seen), work.seen, work.limit);
    work.finish(done, table_name, done.destination.substr(what.to.text().size()));
    log_.write(log_level::info, fmt::format("snapshot {}: {} items, {} bytes, {:.3f} s", done.destination,
                                            done.items_written, done.bytes_written, done.seconds));
  } catch (const out_of_time&) {
    work.fail(unavailable, "Function.OutOfTime",
              fmt::format("the snapshot was not done in the time that was left to it and was given up after {} items. "
                          "Nothing of it is kept, unless its very last request was under way: then the name may be "
                          "taken. The command line has no such limit: dynamodb-backup snapshot",
                          work.seen.items));
  }
}

void handlers::restore(job& work) {
  const auto& [table, name, token] = work.wanted;
  if (!table) throw bad_request_error("tableName is missing: the table to restore into");
  if (!name) throw bad_request_error("snapshotFilename is missing: the snapshot to restore");
  const std::string table_name = from_caller([&] { return apps::table_name_of(*table); });
  from_caller([&] { apps::check_snapshot_name(*name); });
  const std::string own_token = token_of(*table, *name);
  if (token && *token != own_token)
    throw bad_request_error("token is not one of a restore of this snapshot into this table");
  restore_options what;
  what.from = snapshots(table_name);
  what.name = *name;
  what.table = *table;
  what.state = "s3";
  what.resume = token.has_value();
  try {
    const report done = run(engine_.restore(what, work.seen), work.seen, work.limit);
    work.finish(done, *table, *name);
    log_.write(log_level::info, fmt::format("restore of {} to {}: {} items, {:.3f} s", done.source, done.destination,
                                            done.items_written, done.seconds));
  } catch (const out_of_time&) {
    if (!work.seen.resumable)
      return work.fail(
          failed, "Function.OutOfTime",
          fmt::format("time is up after {} items, and the restore cannot be continued: no checkpoint of it "
                      "could be saved beside the snapshot; it begins anew, with the command line best",
                      work.seen.items));
    // Nobody reads the token of an asynchronous invocation: then this line is all that tells.
    log_.write(work.by_http ? log_level::info : log_level::error,
               fmt::format("time is up after {} items; a token for the rest was given", work.seen.items));
    work.succeed(accepted,
                 fmt::format(R"({{"status":"incomplete","operation":"restore","tableName":{},)"
                             R"("snapshotFilename":{},"itemsSettled":{},"token":{},"message":)"
                             R"("not done yet: the same request with this token goes on"}})",
                             json_quoted(*table), json_quoted(*name), work.seen.items, json_quoted(own_token)));
  }
}

}  // namespace dynabackup::bootstrap
