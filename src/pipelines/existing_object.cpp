#include "pipelines/existing_object.hpp"

#include <algorithm>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "pipelines/home.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

std::string_view meta_value(const s3::object_head& head, const char* name) {
  const auto found = head.meta.find(name);
  return found == head.meta.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

/// The md5 we recorded; for an object without it (written by hand, or by a copy tool that dropped metadata) the body's
/// own.
task<std::string> existing_object::md5_in_bucket(std::string object, const s3::object_head& head) {
  const std::string_view recorded = meta_value(head, meta::md5);
  if (!recorded.empty()) co_return std::string(recorded);
  std::optional<s3::object_body> found = co_await run.objects.get_object(bucket, object, {});
  co_return found ? crypto::md5_hex(found->answer.body) : std::string();
}

task<std::string> existing_object::md5_in_table(std::string key_json, archive::canonicalizer& canonical) {
  co_await run.reads.take(1);
  std::optional<std::string> item = co_await run.tables.get_item(table, std::move(key_json));
  if (!item) co_return std::string();
  std::string body(archive::body_head);
  canonical.item(*item, body);
  body += archive::body_tail;
  co_return crypto::md5_hex(body);
}

task<bool> existing_object::table_still_has(std::string key_json, std::string md5, archive::canonicalizer& canonical) {
  const std::string now = co_await md5_in_table(std::move(key_json), canonical);
  co_return now == md5;
}

task<standing> existing_object::look(std::string object, std::string key_json, std::string md5,
                                     archive::canonicalizer& canonical) {
  std::optional<s3::object_head> head = co_await run.objects.head_object(bucket, object);
  if (!head) co_return standing::nothing;
  const std::string there = co_await md5_in_bucket(object, *head);
  if (there == md5) co_return standing::equal;
  const std::optional<text::millis> started = text::parse_rfc3339(run_started);
  if (meta_value(*head, meta::source) == meta::from_stream && started && head->last_modified >= *started)
    co_return standing::newer;
  const std::string now = co_await md5_in_table(std::move(key_json), canonical);
  co_return !now.empty() && now == there ? standing::equal : standing::different;
}

}  // namespace dynabackup::pipelines
