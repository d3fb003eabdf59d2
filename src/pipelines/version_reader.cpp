#include "pipelines/version_reader.hpp"

#include <utility>

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/home.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::size_t longest_body = archive::max_item_text + archive::body_head.size() + archive::body_tail.size();

using origin = item_version::origin;

void take_metadata(s3::metadata given, item_version& out) {
  const std::string& source = given[meta::source];
  out.by = source == meta::from_stream     ? origin::stream
           : source == meta::from_backfill ? origin::backfill
                                           : origin::unknown;
  out.changed_at = std::move(given[meta::changed_at]);
  out.sequence_number = std::move(given[meta::sequence_number]);
  out.stream = std::move(given[meta::stream]);
  out.run = std::move(given[meta::run]);
}

/// Why the body is not this item; empty: it is, and `out.item` has it.
std::string take_item(const s3::object_body& found, const version_reader& as, item_version& out) {
  const std::string_view body = found.answer.body;
  const auto md5 = found.head.meta.find(meta::md5);
  if (md5 != found.head.meta.end() && md5->second != crypto::md5_hex(body))
    return "it is damaged: its body does not have the md5 in its metadata";
  if (!body.starts_with(archive::body_head) || !body.ends_with(archive::body_tail))
    return "it is not an item object: its body is not {\"Item\":…}";
  const std::size_t around = archive::body_head.size() + archive::body_tail.size();
  std::string key;
  try {
    archive::canonicalizer().item_and_key(body.substr(archive::body_head.size(), body.size() - around), as.schema,
                                          out.item, key);
  } catch (const format_error& e) {
    return std::string("it does not hold an item of this table: ") + e.what();
  }
  if (key == as.key) return {};
  out.item.clear();
  return "it holds the item of another key";
}

}  // namespace

task<item_version> version_reader::read(s3::listed_version listed) {
  item_version out;
  out.version_id = listed.version_id;
  out.arrived = text::rfc3339(listed.last_modified);
  out.current = listed.is_latest;
  if (listed.delete_marker) {
    out.by = origin::deletion;
    co_return out;
  }
  if (listed.size < archive::body_head.size() || listed.size > longest_body) {
    out.problem = "it is not an item object: no item has its size";
    co_return out;
  }
  s3::get_options options;
  options.version_id = listed.version_id;
  options.range = s3::byte_range{0, listed.size - 1};
  std::optional<s3::object_body> found;
  try {
    found = co_await run.objects.get_object(bucket, listed.key, options);
    if (!found) out.problem = "it was removed after it was listed";
  } catch (const service_error& e) {
    if (e.failure.code != "InvalidObjectState") throw;
    out.problem = "it lies in an archive class: `aws s3api restore-object` makes it readable";
  }
  if (!out.problem.empty()) co_return out;
  out.problem = take_item(*found, *this, out);
  take_metadata(std::move(found->head.meta), out);
  co_return out;
}

}  // namespace dynabackup::pipelines
