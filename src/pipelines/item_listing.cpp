#include "pipelines/item_listing.hpp"

#include <array>
#include <optional>
#include <utility>

#include "archive/object_name.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

/// A page of 1,000 keys is read much faster than its objects: a few lists keep all readers busy.
constexpr std::size_t lists_at_once = 4;
constexpr std::string_view hex_digits = "0123456789abcdef";
/// U+10FFFF: "x" + this sorts behind every key that begins with "x".
constexpr const char* last_character = "\xf4\x8f\xbf\xbf";

/// Names behind `first` and before `end`, relative to the prefix; empty: open.
struct stretch {
  std::string prefix{};
  std::string first{};
  std::string end{};
};

/// What lies beside the names that start with a hex digit is none of ours; bookkeeping is stepped over.
std::array<stretch, 20> stretches() {
  const std::string books(archive::bookkeeping);
  std::array<stretch, 20> all;
  for (std::size_t i = 0; i < hex_digits.size(); ++i) all[i].prefix = hex_digits[i];
  all[16].end = books;
  all[17] = {"", books + last_character, "0"};
  all[18] = {"", std::string("9") + last_character, "a"};
  all[19].first = std::string("f") + last_character;
  return all;
}

struct lister {
  run_context& run;
  s3_location home;
  item_visitor& to;
  std::optional<std::chrono::sys_seconds> at{};

  task<void> all() {
    auto lists = [this](runtime::in_flight& group) { return start(group); };
    co_await runtime::bounded(lists_at_once, run.stop, lists);
  }

  task<void> start(runtime::in_flight& lists) {
    for (const stretch& each : stretches()) co_await lists.start(at ? past(each) : current(each));
  }

  [[nodiscard]] bool is_item(const std::string& key) const {
    return archive::is_object_name(std::string_view(key).substr(home.prefix.size()));
  }
  [[nodiscard]] bool behind(const stretch& of, const std::string& key) const {
    return !of.end.empty() && key >= home.prefix + of.end;
  }

  task<void> tell(s3::listed_version found) {
    if (is_item(found.key))
      co_await to.item(std::move(found));
    else
      to.stranger(found.key);
  }

  task<void> current(stretch of) {
    s3::list_options options;
    options.prefix = home.prefix + of.prefix;
    if (!of.first.empty()) options.start_after = home.prefix + of.first;
    do {
      run.stop.check();
      s3::list_page page = co_await run.objects.list_objects_v2(home.bucket, options);
      options.token = std::move(page.next);
      for (s3::listed_object& found : page.objects) {
        if (behind(of, found.key)) co_return;
        s3::listed_version object;
        object.key = std::move(found.key);
        object.size = found.size;
        co_await tell(std::move(object));
      }
    } while (options.token);
  }

  /// The versions of a key come newest first, and may go on in the next page.
  task<void> past(stretch of) {
    std::optional<std::string> key_marker;
    std::string id_marker;
    if (!of.first.empty()) key_marker = home.prefix + of.first;
    std::string settled;  // the key whose state at that moment is known
    bool more = true;
    while (more) {
      run.stop.check();
      s3::version_page page =
          co_await run.objects.list_object_versions(home.bucket, home.prefix + of.prefix, key_marker, id_marker);
      for (s3::listed_version& v : page.versions) {
        if (behind(of, v.key)) co_return;
        if (v.key != settled) co_await judge(std::move(v), settled);
      }
      more = page.next_key_marker.has_value();
      key_marker = std::move(page.next_key_marker);
      id_marker = std::move(page.next_version_id_marker);
    }
  }

  task<void> judge(s3::listed_version v, std::string& settled) {
    if (second_of(v.last_modified) > *at) {
      if (is_item(v.key)) to.later(std::move(v));
      co_return;
    }
    settled = v.key;
    if (!v.delete_marker) co_await tell(std::move(v));
  }
};

}  // namespace

task<void> list_items(run_context& run, s3_location home, item_visitor& to) {
  lister work{run, std::move(home), to};
  co_await work.all();
}

task<void> list_items_at(run_context& run, s3_location home, std::chrono::sys_seconds at, item_visitor& to) {
  lister work{run, std::move(home), to, at};
  co_await work.all();
}

}  // namespace dynabackup::pipelines
