#include "pipelines/item_versions.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "archive/item_difference.hpp"
#include "archive/item_key.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/home.hpp"
#include "pipelines/item_listing.hpp"
#include "pipelines/past_coverage.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/small_file.hpp"
#include "pipelines/version_reader.hpp"
#include "runtime/in_flight.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

std::string key_of(const item_options& what, const archive::descriptor& table) {
  try {
    return archive::read_item_key(what.key, table.key);
  } catch (const format_error& e) {
    throw usage_error(std::string("--key: ") + e.what() + ". The key of table " + table.table + " is " +
                      spell_key(table.key) + ": give each as NAME=VALUE (B as base64), or DynamoDB JSON");
  }
}

/// What both commands begin with, and what they tell of each version.
struct item_run {
  run_context& run;
  item_order order;
  report out;
  std::string key;  // of the object
  version_reader reader;
  std::optional<std::chrono::sys_seconds> at;
  // Where the listing goes on.
  std::optional<std::string> key_marker;
  std::string version_id_marker;
  bool listed_all = false;
  bool told_overwriting = false;

  item_run(run_context& context, item_order given, const char* operation)
      : run(context), order(std::move(given)), reader{context, order.what.from.bucket, {}, {}} {
    out.operation = operation;
    out.source = order.what.from.text();
  }

  task<void> prepare(bool whole_history) {
    const s3_location& from = order.what.from;
    const archive::descriptor table = co_await require_backup(run, from);
    reader.schema = table.key;
    reader.key = key_of(order.what, table);
    key = from.key(archive::object_name(reader.key));
    co_await check_versioning(whole_history);
    coverage known;
    if (order.what.at) {
      at = co_await settle_moment(run, from, *order.what.at);
      known = co_await coverage_at(run, from, *at);
    } else {
      known = co_await coverage_of(run, from);
    }
    if (!known.missing.empty()) not_covered(std::move(known.missing));
    out.warnings = std::move(known.warnings);
    order.to.subject({.table = table.table,
                      .key = reader.key,
                      .object = "s3://" + from.bucket + "/" + key,
                      .at = at ? text::rfc3339(*at) : std::string()});
  }

  task<void> check_versioning(bool whole_history) {
    const std::string& bucket = order.what.from.bucket;
    const s3::versioning state = co_await run.objects.get_bucket_versioning(bucket);
    if (state == s3::versioning::enabled) co_return;
    if (state == s3::versioning::suspended) {
      if (!order.what.at)  // coverage_at says it of a past moment
        not_covered("versioning of bucket " + bucket + " is suspended: what changed since left no versions behind");
    } else if (whole_history || order.what.at) {
      throw usage_error("bucket " + bucket +
                        " is not versioned, so it has no history: only `show` without --at has an answer. "
                        "`aws s3api put-bucket-versioning --bucket " +
                        bucket + " --versioning-configuration Status=Enabled` keeps what changes from then on");
    }
  }

  void not_covered(std::string why) { out.not_covered += (out.not_covered.empty() ? "" : "; ") + std::move(why); }

  /// The next versions of this very key, newest first; nothing at the end. A page may be of other keys alone.
  task<std::vector<s3::listed_version>> next_page() {
    std::vector<s3::listed_version> found;
    while (found.empty() && !listed_all) {
      run.stop.check();
      s3::version_page page =
          co_await run.objects.list_object_versions(order.what.from.bucket, key, key_marker, version_id_marker);
      listed_all = !page.next_key_marker || *page.next_key_marker != key;
      key_marker = std::move(page.next_key_marker);
      version_id_marker = std::move(page.next_version_id_marker);
      for (s3::listed_version& v : page.versions)
        if (v.key == key) found.push_back(std::move(v));
    }
    co_return found;
  }

  [[nodiscard]] std::string name_of(const item_version& v) const {
    return "s3://" + order.what.from.bucket + "/" + key + " version " + v.version_id;
  }

  /// A version without an id replaces the one before that has none: what lay there at some time may be gone.
  void doubt_if_overwriting(const std::string& version_id) {
    if (version_id != "null" || told_overwriting) return;
    told_overwriting = true;
    not_covered("bucket " + order.what.from.bucket + " was not versioned all the time: a version of object " + key +
                " without an id of its own may have taken the place of others");
  }

  void tell(const item_version& v) {
    ++run.seen.items;
    run.seen.bytes += v.item.size();
    if (!v.item.empty()) ++out.items_read;
    out.bytes_read += v.item.size();
    if (!v.problem.empty()) {
      ++out.objects_skipped;
      out.add({"unreadable", name_of(v), 0, v.problem});
    }
    order.to.version(v);
  }
};

struct history_run : item_run {
  std::optional<item_version> newer;  // told as soon as the one before it is known

  explicit history_run(run_context& context, item_order given) : item_run(context, std::move(given), "history") {}

  task<report> all() {
    co_await prepare(true);
    for (;;) {
      const std::vector<s3::listed_version> page = co_await next_page();
      if (page.empty()) break;
      co_await take(page);
    }
    if (newer) {
      newer->oldest = true;
      if (newer->problem.empty()) newer->changes = archive::differences({}, newer->item);
      tell(*newer);
    }
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  /// As many versions at a time as fit in a share of the memory.
  task<void> take(const std::vector<s3::listed_version>& page) {
    std::size_t from = 0;
    while (from < page.size()) {
      std::uint64_t bytes = page[from].size;
      std::size_t to = from + 1;
      while (to < page.size() && to - from < run.object_parallelism && bytes + page[to].size <= run.memory_bytes / 8)
        bytes += page[to++].size;
      const std::vector<s3::listed_version> batch(page.begin() + static_cast<std::ptrdiff_t>(from),
                                                  page.begin() + static_cast<std::ptrdiff_t>(to));
      std::vector<item_version> read(batch.size());
      auto reads = [this, &batch, &read](runtime::in_flight& gets) { return start(batch, read, gets); };
      co_await runtime::bounded(run.object_parallelism, run.stop, reads);
      for (item_version& v : read) follow_on(std::move(v));
      from = to;
    }
  }

  task<void> start(const std::vector<s3::listed_version>& batch, std::vector<item_version>& read,
                   runtime::in_flight& gets) {
    for (std::size_t i = 0; i < batch.size(); ++i) co_await gets.start(read_into(batch[i], read[i]));
  }

  task<void> read_into(s3::listed_version listed, item_version& place) {
    place = co_await reader.read(std::move(listed));
  }

  void follow_on(item_version older) {
    if (newer) {
      doubt_if_overwriting(newer->version_id);
      if (newer->problem.empty() && older.problem.empty())
        newer->changes = archive::differences(older.item, newer->item);
      tell(*newer);
    }
    newer = std::move(older);
  }
};

struct show_run : item_run {
  explicit show_run(run_context& context, item_order given) : item_run(context, std::move(given), "show") {}

  task<report> all() {
    co_await prepare(false);
    std::optional<s3::listed_version> found = co_await find();
    if (found) {
      const item_version v = co_await reader.read(std::move(*found));
      if (!v.problem.empty())
        throw format_error(name_of(v) + " cannot be shown: " + v.problem + ". `history` tells the other versions");
      tell(v);
    }
    take_counters(run.seen, out);
    co_return std::move(out);
  }

  task<std::optional<s3::listed_version>> find() {
    for (;;) {
      std::vector<s3::listed_version> page = co_await next_page();
      if (page.empty()) co_return std::nullopt;
      for (s3::listed_version& v : page)
        if (at && second_of(v.last_modified) > *at)
          doubt_if_overwriting(v.version_id);
        else
          co_return std::move(v);
    }
  }
};

}  // namespace

task<report> history(run_context& run, item_order order) {
  history_run work(run, std::move(order));
  co_return co_await work.all();
}

task<report> show(run_context& run, item_order order) {
  show_run work(run, std::move(order));
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
