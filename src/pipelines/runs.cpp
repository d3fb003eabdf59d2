#include "pipelines/runs.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/small_file.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

/// How many run records are looked at, newest first.
constexpr std::size_t max_records_read = 50;

std::string books(const s3_location& home) { return home.prefix + std::string(archive::bookkeeping); }

/// What the newest finished run says. Any run that was left open may have brought a deleted item back, whatever another
/// proved; one that ended early but was swept harms nobody.
void judge_runs(const std::vector<archive::run_record>& records, coverage& found) {
  const auto open = std::find_if(records.begin(), records.end(), left_open);
  if (open != records.end()) {
    found.missing = "backfill run " + open->id + " was left open: an item deleted while it ran may be in the backup. " +
                    "`backfill --sweep` closes it, and so does another backfill";
    return;
  }
  for (const archive::run_record& r : records)
    if (r.finished) return judge_finished(r, found);
  found.missing = records.size() < max_records_read
                      ? "no finished backfill is recorded"
                      : "none of the last " + std::to_string(max_records_read) + " backfill runs was finished";
}

}  // namespace

void judge_finished(const archive::run_record& proof, coverage& found) {
  if (proof.differing > 0)
    found.missing = "backfill run " + proof.id + " left " + std::to_string(proof.differing) +
                    " objects alone that differ from the table";
  else if (!proof.changes_recorded && !proof.stream_label.empty())
    found.missing = "while backfill run " + proof.id +
                    " ran, the table's stream was switched, or it has no new images: changes may be missing";
  if (!proof.changes_recorded && proof.stream_label.empty()) {
    found.one_off_items = proof.items;
    found.warnings.push_back("backfill run " + proof.id + ", ended " + proof.ended +
                             ", is a one-off backup: the table had no stream, later changes are not in it");
  }
}

std::string new_run_id(run_context& run) {
  char tail[16];
  std::snprintf(tail, sizeof tail, "-%08x", static_cast<unsigned>(run.random() * 4294967296.0));
  // By the bucket's clock: records are looked at newest first, and machines disagree about what newest means.
  const s3::time_point theirs = run.objects.service_time();
  return text::amz_date(theirs == s3::time_point{} ? run.clock.now() : theirs) + tail;
}

/// False: something else is there by now, and it is not what we write.
task<bool> run_book::put(std::string key, std::string body) {
  const auto late = late_until_.find(key);
  if (late != late_until_.end()) {
    const auto left = late->second - run_.clock.steady_now();
    co_await wait_for(run_, std::chrono::ceil<std::chrono::milliseconds>(left));
  }
  s3::put_options options;
  if (conditional_) {
    const std::optional<s3::object_head> before = co_await run_.objects.head_object(home_.bucket, key);
    options.if_none_match = !before;
    if (before) options.if_match = before->etag;
  }
  const std::string expected = options.if_match;
  const s3::put_result done = co_await run_.objects.put_object(home_.bucket, key, body, std::move(options));
  if (done.unsettled && !conditional_) late_until_[key] = run_.clock.steady_now() + late_effects;
  if (done.stored) co_return true;
  // A refused retry may be the echo of a first attempt that was stored.
  const std::optional<std::string> there = co_await read_small(run_, home_.bucket, key);
  if (there == body) co_return true;
  // A store that refuses the very ETag it tells does not keep If-Match, whatever a probe saw: on without conditions.
  const std::optional<s3::object_head> now = co_await run_.objects.head_object(home_.bucket, key);
  if (now && now->etag == expected) conditional_ = false;
  co_return false;
}

task<s3::time_point> run_book::save(archive::run_record record) {
  constexpr int most_rounds = 4;
  const std::string key = archive::run_key(home_, record.id);
  const std::string name = "s3://" + home_.bucket + "/" + key;
  bool written = false;
  for (int round = 0; round < most_rounds && !written; ++round)
    written = co_await put(key, archive::write_run_record(record));
  if (!written) throw error(name + " is being written by somebody else");
  std::optional<s3::object_head> head = co_await run_.objects.head_object(home_.bucket, key);
  if (!head) throw error(name + " vanished right after it was written");
  co_return head->last_modified;
}

task<std::vector<archive::run_record>> recorded_runs(run_context& run, s3_location home, std::string behind) {
  std::vector<s3::listed_object> found = co_await list_all(run, home.bucket, books(home) + "runs/");
  if (!behind.empty())
    std::erase_if(found, [end = books(home) + "runs/" + behind](const auto& o) { return o.key >= end; });
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.key > b.key; });
  found.resize(std::min(found.size(), max_records_read));
  std::vector<archive::run_record> records;
  for (const s3::listed_object& o : found) {
    std::optional<std::string> body = co_await read_small(run, home.bucket, o.key);
    if (body) records.push_back(read_named(home.bucket, o.key, *body, archive::read_run_record));
  }
  co_return records;
}

task<s3::time_point> last_sign(run_context& run, s3_location home, std::string run_id) {
  s3::time_point latest{};
  const std::array keys{archive::run_key(home, run_id), archive::checkpoint_key(home, "backfill-" + run_id)};
  for (const std::string& key : keys) {
    const std::optional<s3::object_head> head = co_await run.objects.head_object(home.bucket, key);
    if (head) latest = std::max(latest, head->last_modified);
  }
  co_return latest;
}

task<coverage> coverage_of(run_context& run, s3_location home) {
  coverage found;
  const std::vector<archive::run_record> records = co_await recorded_runs(run, home);
  judge_runs(records, found);
  for (const char* kind : {"gaps/", "dead-letter/"}) {
    const s3::list_page page =
        co_await run.objects.list_objects_v2(home.bucket, {.prefix = books(home) + kind, .max_keys = 1});
    if (!page.objects.empty())
      found.missing += (found.missing.empty() ? "" : "; ") + std::string("s3://") + home.bucket + "/" + books(home) +
                       kind + " is not empty: changes are missing";
  }
  co_return found;
}

task<void> wait_for(run_context& run, std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds step{500};
  for (auto left = duration; left.count() > 0; left -= step) {
    run.stop.check();
    co_await run.clock.sleep(std::min(left, step));
  }
}

}  // namespace dynabackup::pipelines
