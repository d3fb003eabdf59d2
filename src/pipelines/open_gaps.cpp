#include "pipelines/open_gaps.hpp"

#include <utility>

#include "archive/gap.hpp"
#include "archive/object_name.hpp"
#include "pipelines/item_listing.hpp"
#include "pipelines/small_file.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

using std::chrono::sys_seconds;

struct seeker {
  run_context& run;
  s3_location home;
  sys_seconds at;
  std::string key{};       // whose versions are being told, newest first
  bool removed_by_then{};  // what is older than this was gone at that moment

  task<std::optional<std::string>> in(std::string folder, bool gaps) {
    const std::string prefix = home.prefix + std::string(archive::bookkeeping) + folder;
    std::optional<std::string> key_marker;
    std::string id_marker;
    do {
      run.stop.check();
      s3::version_page page = co_await run.objects.list_object_versions(home.bucket, prefix, key_marker, id_marker);
      for (s3::listed_version& v : page.versions) {
        const bool open = co_await was_open(v, gaps);
        if (open) co_return "s3://" + home.bucket + "/" + v.key;
      }
      key_marker = std::move(page.next_key_marker);
      id_marker = std::move(page.next_version_id_marker);
    } while (key_marker);
    co_return std::nullopt;
  }

  /// A gap is open from the time it begins, which may be long before it was noted, until it is removed.
  task<bool> was_open(const s3::listed_version& v, bool gap) {
    if (v.key != key) removed_by_then = false;
    key = v.key;
    const bool noted_by_then = second_of(v.last_modified) <= at;
    if (v.delete_marker) removed_by_then = removed_by_then || noted_by_then;
    if (v.delete_marker || removed_by_then) co_return false;
    if (noted_by_then) co_return true;
    if (!gap) co_return false;  // a dead letter of before has its gap beside it
    co_return co_await began_by_then(v);
  }

  task<bool> began_by_then(const s3::listed_version& v) {
    s3::get_options options;
    options.version_id = v.version_id;
    const std::optional<s3::object_body> found = co_await run.objects.get_object(home.bucket, v.key, options);
    if (!found) co_return true;  // nobody knows what it said
    const archive::gap said = read_named(home.bucket, v.key, found->answer.body, archive::read_gap);
    const auto from = text::parse_rfc3339(said.from);
    co_return !from || second_of(*from) <= at;
  }
};

}  // namespace

task<std::optional<std::string>> open_gap_at(run_context& run, s3_location home, sys_seconds at) {
  seeker work{run, std::move(home), at};
  std::optional<std::string> found = co_await work.in("gaps/", true);
  if (!found) found = co_await work.in("dead-letter/", false);
  co_return found;
}

}  // namespace dynabackup::pipelines
