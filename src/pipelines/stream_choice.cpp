#include "pipelines/stream_choice.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "dynabackup/error.hpp"
#include "dynamodb/stream_records.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/stream_reader.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::chrono::minutes enabling_takes{5};
/// DescribeTable may be a moment behind the stream.
constexpr int most_looks = 8;
constexpr std::chrono::seconds between_looks{2};

/// nullopt: it was deleted.
task<std::optional<dynamodb::table_description>> table_if_any(run_context& run, std::string table) {
  try {
    dynamodb::table_description found = co_await run.tables.describe_table(table);
    if (found.status != "DELETING") co_return found;
  } catch (const service_error& e) {
    if (e.failure.code != "ResourceNotFoundException") throw;
  }
  co_return std::nullopt;
}

std::string why_missing(const archive::run_record& r, const std::string& stream_label, bool old) {
  const std::string backfill = "backfill run " + r.id;
  if (r.stream_label.empty()) return backfill + " began before the table had this stream";
  if (r.stream_label != stream_label) return backfill + " began with stream " + r.stream_label + ", before this one";
  return old ? backfill + " began on " + r.started + ", and a stream keeps a day" : std::string();
}

}  // namespace

void refuse_without_stream(const std::string& table) {
  throw usage_error("table " + table +
                    " has no stream, and so nothing tells of its changes: --enable-stream switches one on, with new "
                    "and old images. A backfill behind it brings the items that are there already");
}

task<dynamodb::table_description> enable_stream(run_context& run, std::string table) {
  std::exception_ptr refused;
  try {
    co_await run.tables.enable_stream(table);
  } catch (const service_error&) {
    refused = std::current_exception();
  }
  // An answer that was lost, or somebody else: the stream is there all the same.
  dynamodb::table_description now = co_await run.tables.describe_table(table);
  if (refused && !now.stream) std::rethrow_exception(refused);
  constexpr std::chrono::seconds step{1};
  for (auto left = std::chrono::seconds{enabling_takes}; !now.stream; left -= step) {
    if (left.count() <= 0) throw error("the stream of table " + now.name + " was not enabled within 5 minutes");
    co_await wait_for(run, step);
    now = co_await run.tables.describe_table(table);
  }
  run.seen.notices.push_back("switched on stream " + now.stream->arn +
                             "; items that are there already come with `backfill " + now.name + "`");
  co_return now;
}

task<backfilled_since> changes_wanted(run_context& run, s3_location home, std::string stream_label) {
  const std::vector<archive::run_record> records = co_await recorded_runs(run, std::move(home));
  const s3::time_point now = run.bucket_time();
  backfilled_since wanted{now, {}};
  bool finished_seen = false;
  for (const archive::run_record& r : records) {
    const bool newest_finished = r.finished && !finished_seen;
    finished_seen = finished_seen || r.finished;
    if (!newest_finished && !left_open(r)) continue;
    const s3::time_point started = text::parse_rfc3339(r.started).value_or(s3::time_point{});
    wanted.at = std::min(wanted.at, started);
    if (wanted.missing.empty())
      wanted.missing = why_missing(r, stream_label, now - started > stream_reader::kept_for_sure);
  }
  co_return wanted;
}

task<table_now> look_behind(run_context& run, std::string table, archive::table_identity before, std::string ended) {
  for (int look = 1;; ++look) {
    std::optional<dynamodb::table_description> found = co_await table_if_any(run, table);
    if (!found) co_return table_now{table_now::fate::deleted, {}};
    if (archive::identify(*found) != before) co_return table_now{table_now::fate::replaced, std::move(*found)};
    if (!found->stream || found->stream->arn != ended) co_return table_now{table_now::fate::there, std::move(*found)};
    if (look == most_looks) break;
    co_await wait_for(run, between_looks);
  }
  throw error("table " + table + " has stream " + ended +
              ", but where the streams are asked for it is not known, or ended: --dynamodb-streams-endpoint "
              "(AWS_ENDPOINT_URL_DYNAMODB_STREAMS) must lead to the same service as the table's endpoint");
}

lost_changes switched(const std::string& from, const std::string& to) {
  const auto label = dynamodb::parse_stream_arn(to);
  return {"switch-to-" + (label ? label->label : std::string("another")),
          {},
          {},
          "stream " + from + " ended and " + to + " began: changes in between are not known"};
}

}  // namespace dynabackup::pipelines
