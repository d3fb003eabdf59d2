#include "pipelines/upload_notes.hpp"

#include <chrono>
#include <utility>
#include <vector>

#include "archive/json_record.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/checkpoint_store.hpp"
#include "pipelines/small_file.hpp"

namespace dynabackup::pipelines {
namespace {

/// No snapshot takes longer; a younger note may be that of a run under way.
constexpr std::chrono::hours abandoned_after{24};
/// A note is written before its upload begins, by another clock's reading.
constexpr std::chrono::minutes margin{5};
constexpr std::size_t max_note_bytes = 16 << 10;

std::string read_note(std::string_view body) {
  const archive::record_reader record(body, "upload note", max_note_bytes);
  record.expect_format();
  return record.text("key");
}

task<void> abort_noted(run_context& run, std::string bucket, s3::listed_object note) {
  const std::optional<std::string> body = co_await read_small(run, bucket, note.key);
  if (!body) co_return;
  const std::string key = read_named(bucket, note.key, *body, read_note);
  const std::vector<s3::listed_upload> uploads = co_await run.objects.list_multipart_uploads(bucket, key);
  for (const s3::listed_upload& u : uploads) {
    const bool its = u.key == key && u.initiated >= note.last_modified - margin &&
                     run.objects.service_time() - u.initiated > abandoned_after;
    if (its) co_await run.objects.abort_multipart_upload(bucket, u.key, u.upload_id);
  }
  co_await checkpoint_in_bucket(run, bucket, note.key)->remove();
}

task<void> abort_all(run_context& run, s3_location home) {
  const std::string prefix = home.prefix + std::string(archive::bookkeeping) + "uploads/";
  const s3::list_page notes = co_await run.objects.list_objects_v2(home.bucket, {.prefix = prefix});
  for (const s3::listed_object& note : notes.objects)
    if (run.objects.service_time() - note.last_modified > abandoned_after) co_await abort_noted(run, home.bucket, note);
}

}  // namespace

task<void> note_upload(run_context& run, s3_location home, std::string id, std::string key) {
  const std::string body = archive::record_writer().number("format", 1).text("key", key).finish();
  co_await run.objects.put_object(home.bucket, archive::upload_key(home, id), body, {});
}

task<void> forget_upload(run_context& run, s3_location home, std::string id) {
  co_await checkpoint_in_bucket(run, home.bucket, archive::upload_key(home, id))->remove();
}

task<void> abort_abandoned_uploads(run_context& run, s3_location home) {
  std::string problem;
  try {
    co_await abort_all(run, home);
  } catch (const error& e) {
    problem = e.what();
  }
  if (!problem.empty())
    run.seen.notices.push_back("warning: uploads that an earlier snapshot left unfinished could not be aborted: " +
                               problem);
}

}  // namespace dynabackup::pipelines
