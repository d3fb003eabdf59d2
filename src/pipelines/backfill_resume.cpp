#include "pipelines/backfill_resume.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "archive/object_name.hpp"
#include "pipelines/checkpoint_store.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/small_file.hpp"

namespace dynabackup::pipelines {
namespace {

/// Whoever comes later finds a table that has little to do with the one that was read.
constexpr std::chrono::hours oldest_checkpoint{24};

/// Why it cannot be gone on with; empty: it can.
std::string unfit(const archive::backfill_checkpoint& c, const dynamodb::table_description& table,
                  std::size_t segments_asked) {
  if (c.table != archive::identify(table)) return "it is of another table, or of the table before it was recreated";
  if (c.stream_label != (table.stream ? table.stream->label : "")) return "the table's stream is another one now";
  if (segments_asked != 0 && segments_asked != c.segments)
    return "it has " + std::to_string(c.segments) + " segments, not " + std::to_string(segments_asked);
  return "";
}

/// A closed run has been swept: what it left to do is for a new run to find.
task<bool> is_open(run_context& run, s3_location home, std::string run_id) {
  const std::string key = archive::run_key(home, run_id);
  const std::optional<std::string> body = co_await read_small(run, home.bucket, key);
  co_return body&& left_open(read_named(home.bucket, key, *body, archive::read_run_record));
}

}  // namespace

task<std::optional<archive::backfill_checkpoint>> find_checkpoint(run_context& run, s3_location home,
                                                                  dynamodb::table_description table) {
  const std::string prefix = home.prefix + std::string(archive::bookkeeping) + "checkpoints/backfill-";
  std::vector<s3::listed_object> found = co_await list_all(run, home.bucket, prefix);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.last_modified > b.last_modified; });
  for (const s3::listed_object& o : found) {
    if (run.objects.service_time() - o.last_modified > oldest_checkpoint) break;
    const std::unique_ptr<checkpoint_store> store = checkpoint_in_bucket(run, home.bucket, o.key);
    std::optional<saved_checkpoint> saved = co_await store->load();
    if (!saved) continue;
    archive::backfill_checkpoint c;
    try {
      c = archive::read_backfill_checkpoint(saved->body);
    } catch (const format_error& e) {
      run.seen.notices.push_back("the checkpoint " + store->name() + " is not used: " + e.what());
      continue;
    }
    const bool open = co_await is_open(run, home, c.run);
    if (!open) {
      // A save of a closed run that came late.
      co_await store->remove();
      continue;
    }
    const std::string why = unfit(c, table, run.segments);
    if (why.empty()) co_return c;
    run.seen.notices.push_back("the checkpoint of run " + c.run + " is not used: " + why);
  }
  co_return std::nullopt;
}

}  // namespace dynabackup::pipelines
