#include "pipelines/sweep.hpp"

#include <optional>
#include <utility>

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "archive/snapshot_line.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/home.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::size_t lists_at_once = 4;
constexpr std::string_view hex_digits = "0123456789abcdef";

struct sweeper {
  run_context& run;
  sweep_order order;
  report& out;
  sweep_result result{};
  archive::canonicalizer canonical{};
  archive::line_reader reader{order.key};
  byte_budget bodies{run.memory_bytes / 4};

  task<void> all() {
    auto judges = [this](runtime::in_flight& group) { return list_everything(group); };
    co_await runtime::bounded(run.object_parallelism, run.stop, judges);
  }

  task<void> list_everything(runtime::in_flight& judges) {
    auto lists = [this, &judges](runtime::in_flight& group) { return start_lists(group, judges); };
    co_await runtime::bounded(lists_at_once, run.stop, lists);
  }

  task<void> start_lists(runtime::in_flight& lists, runtime::in_flight& judges) {
    for (const char digit : hex_digits) co_await lists.start(list_prefix(digit, judges));
  }

  /// Versions of a key come newest first, and may go on in the next page: the one before is kept for what it lies on.
  task<void> list_prefix(char digit, runtime::in_flight& judges) {
    const std::string prefix = order.home.prefix + digit;
    std::optional<std::string> key_marker;
    std::string id_marker;
    std::optional<s3::listed_version> above;
    do {
      run.stop.check();
      s3::version_page page =
          co_await run.objects.list_object_versions(order.home.bucket, prefix, key_marker, id_marker);
      for (s3::listed_version& v : page.versions) {
        const bool lies_on_it =
            above && above->key == v.key && v.last_modified >= order.since && (v.delete_marker || !order.conditional);
        if (lies_on_it) co_await judges.start(judge(std::move(*above)));
        above.reset();
        if (may_be_ours(v)) above = std::move(v);
      }
      key_marker = page.next_key_marker;
      id_marker = page.next_version_id_marker;
    } while (key_marker);
  }

  [[nodiscard]] bool may_be_ours(const s3::listed_version& v) const {
    return !v.delete_marker && v.last_modified >= order.since &&
           archive::is_object_name(std::string_view(v.key).substr(order.home.prefix.size()));
  }

  task<void> judge(s3::listed_version version) {
    const std::optional<s3::object_head> head =
        co_await run.objects.head_object(order.home.bucket, version.key, version.version_id);
    if (!head) co_return;
    const auto source = head->meta.find(meta::source);
    if (source == head->meta.end() || source->second != meta::from_backfill) co_return;
    ++out.sweep_judged;
    s3::get_options options;
    options.version_id = version.version_id;
    options.budget = &bodies;
    std::optional<s3::object_body> found =
        co_await run.objects.get_object(order.home.bucket, version.key, std::move(options));
    if (!found) co_return;
    const std::string stored = std::move(found->answer.body);
    const std::string key = key_of(version, stored);
    co_await run.reads.take(1);
    std::optional<std::string> item = co_await run.tables.get_item(order.table, key);
    if (!item) co_return co_await undo(std::move(version), key);
    std::string now = body_of(*item);
    if (now != stored) co_await replace(std::move(version), std::move(now));
  }

  /// An item of the table as its object holds it.
  std::string body_of(std::string_view item) {
    std::string body(archive::body_head);
    canonical.item(item, body);
    body += archive::body_tail;
    return body;
  }

  [[nodiscard]] s3::put_options marked_as_ours(std::string_view body) const {
    s3::put_options options;
    options.meta = {{meta::source, meta::from_backfill}, {meta::md5, crypto::md5_hex(body)}, {meta::run, order.run_id}};
    return options;
  }

  std::string key_of(const s3::listed_version& version, std::string_view body) {
    std::string item, key;
    try {
      reader.read(body, item, key);
    } catch (const format_error& e) {
      throw format_error("s3://" + order.home.bucket + "/" + version.key + " version " + version.version_id + ": " +
                         e.what());
    }
    return key;
  }

  /// The item is gone from the table: the version goes by its id, whatever lies on it by now. Where that is denied a
  /// delete marker hides it, unless something newer does.
  task<void> undo(s3::listed_version version, std::string canonical_key) {
    if (co_await removed(version.key, version.version_id)) {
      ++out.sweep_undone;
      co_return;
    }
    const bool hidden = co_await hide(version, std::move(canonical_key));
    if (hidden) {
      ++out.sweep_undone;
      co_return;
    }
    ++result.left;
    out.add({"resurrected", version.key, 0,
             "the item was deleted from the table while the backfill ran; neither may its version " +
                 version.version_id +
                 " be removed nor a delete marker be put on it (s3:DeleteObjectVersion, "
                 "s3:DeleteObject)"});
  }

  task<bool> removed(std::string key, std::string version_id) {
    try {
      co_await run.objects.delete_object(order.home.bucket, std::move(key), std::move(version_id));
    } catch (const service_error& e) {
      if (e.failure.status != 403) throw;
      co_return false;
    }
    co_return true;
  }

  task<bool> is_current(const s3::listed_version& version) {
    const std::optional<s3::object_head> head = co_await run.objects.head_object(order.home.bucket, version.key);
    co_return head && head->version_id == version.version_id;
  }

  /// A delete marker fell on something newer than what it was meant for. If the item is back in the table by now, it
  /// goes on top of the marker.
  task<void> show_again(std::string object, std::string canonical_key) {
    const std::optional<std::string> item = co_await run.tables.get_item(order.table, std::move(canonical_key));
    if (!item) co_return;
    std::string now = body_of(*item);
    s3::put_options options = marked_as_ours(now);
    co_await run.objects.put_object(order.home.bucket, std::move(object), std::move(now), std::move(options));
    result.unsettled = true;  // swept once more: it may have been deleted again meanwhile
  }

  task<bool> hide(s3::listed_version version, std::string canonical_key) {
    const bool current = co_await is_current(version);
    if (!current) co_return true;
    try {
      if (order.if_match) {
        // Refused: a newer change has come, and that is as good.
        co_await run.objects.leave_marker(order.home.bucket, version.key, version.etag);
        co_return true;
      }
      const std::string marker = co_await run.objects.delete_object(order.home.bucket, version.key);
      const bool on_ours = co_await lies_on(version.key, marker, version.version_id);
      if (!on_ours) co_await show_again(version.key, canonical_key);
      co_return true;
    } catch (const service_error& e) {
      if (e.failure.status != 403) throw;
    }
    co_return false;
  }

  /// The table holds another state than the one that came back: it goes on top, never over a newer change.
  task<void> replace(s3::listed_version version, std::string body) {
    const bool current = co_await is_current(version);
    if (!current) co_return;
    s3::put_options options = marked_as_ours(body);
    if (order.if_match) options.if_match = version.etag;
    const s3::put_result put =
        co_await run.objects.put_object(order.home.bucket, version.key, std::move(body), std::move(options));
    if (put.unsettled) result.unsettled = true;
    if (!put.stored) co_return;
    ++out.sweep_undone;
    const bool on_ours = co_await lies_on(version.key, put.version_id, version.version_id);
    if (on_ours) co_return;
    // A change slipped in between the look and the PUT: it is newer than what we read, so ours goes again.
    const bool taken_back = co_await removed(version.key, put.version_id);
    if (taken_back) co_return;
    ++result.left;
    out.add({"differs", version.key, 0,
             "version " + put.version_id + " of the sweep lies on a newer change and may not be removed"});
  }

  /// Whether `upper` lies directly on `lower`; also when it is not there any more.
  task<bool> lies_on(std::string key, std::string upper, std::string lower) {
    std::optional<std::string> key_marker;
    std::string id_marker;
    bool next = false;
    do {
      const s3::version_page page =
          co_await run.objects.list_object_versions(order.home.bucket, key, key_marker, id_marker);
      for (const s3::listed_version& v : page.versions) {
        if (v.key != key) co_return true;
        if (next) co_return v.version_id == lower;
        next = v.version_id == upper;
      }
      key_marker = page.next_key_marker;
      id_marker = page.next_version_id_marker;
    } while (key_marker);
    co_return true;
  }
};

}  // namespace

task<sweep_result> sweep(run_context& run, sweep_order order, report& out) {
  sweeper work{run, std::move(order), out};
  co_await work.all();
  co_return work.result;
}

}  // namespace dynabackup::pipelines
