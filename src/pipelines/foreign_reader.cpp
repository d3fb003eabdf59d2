#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "archive/block_codec.hpp"
#include "archive/line_splitter.hpp"
#include "archive/snapshot_line.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/item_batch.hpp"
#include "pipelines/snapshot_file.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::uint64_t range_bytes = std::uint64_t{2} << 20;
constexpr std::size_t decode_bytes = std::size_t{1} << 20;

/// Keys may repeat and the last line wins, so a line must never overtake an earlier one of its key. One reader goes
/// through the file in order; a key that is in the batch being filled is replaced there, and before a key that is
/// already under way goes out again everything under way is waited for. Batches of distinct keys go in parallel.
struct foreign_reader {
  restore_target& to;
  snapshot_file from;
  item_batch batch{to};
  archive::line_reader reader{to.key};
  archive::line_splitter lines{};
  std::string raw{};
  std::unordered_map<std::string, std::size_t> in_batch{};  // canonical key → place in the batch
  std::unordered_set<std::string> under_way{};              // keys sent since the last drain
  std::string item{}, key{};
  std::uint64_t line = 0;
  bool warned_plain = false;

  task<void> all() {
    std::exception_ptr failure;
    try {
      co_await read_file();
    } catch (const format_error&) {
      failure = std::current_exception();
    }
    // Also before a bad line is told: what stood in front of it is written, as the message says.
    co_await batch.send();
    co_await to.writes.drain();
    if (failure) std::rethrow_exception(failure);
  }

  task<void> read_file() {
    std::optional<archive::stream_reader> unpack;
    for (std::uint64_t at = 0; at < from.size; at += range_bytes) {
      to.run.stop.check();
      const s3::object_body chunk = co_await read_range(at);
      std::string_view input = chunk.answer.body;
      if (!unpack) unpack.emplace(archive::sniff(input));
      while (!input.empty()) {
        input.remove_prefix(decode(*unpack, input));
        co_await take_lines();
      }
    }
    if (!unpack) co_return;
    do {
      decode(*unpack, {});
      co_await take_lines();
    } while (!raw.empty());
    checked([&] { return unpack->finish(), 0; });
    for (auto last = checked([&] { return lines.finish(); }); last; last = checked([&] { return lines.finish(); }))
      co_await take(*last);
  }

  /// Unpacks some of `input` into the line splitter; returns how much of it was used.
  std::size_t decode(archive::stream_reader& unpack, std::string_view input) {
    raw.clear();
    const std::size_t used = checked([&] { return unpack.read(input, raw, decode_bytes); });
    lines.feed(raw);
    return used;
  }

  /// Names the file and the place for what the archive floor only calls damaged.
  template <class Step>
  auto checked(Step step) -> decltype(step()) {
    try {
      return step();
    } catch (const format_error& e) {
      throw format_error(from.name() + " is damaged or truncated behind line " + std::to_string(line) + ": " +
                         e.what() + ". The lines before were written");
    }
  }

  task<s3::object_body> read_range(std::uint64_t at) {
    s3::get_options options;
    options.range = {at, std::min(at + range_bytes, from.size) - 1};
    options.if_match = from.etag;
    options.budget = &to.chunks;
    std::optional<s3::object_body> found = co_await to.run.objects.get_object(from.bucket, from.key, options);
    if (!found) throw error(from.name() + " was deleted while it was read");
    to.out.bytes_read += found->answer.body.size();
    co_return std::move(*found);
  }

  task<void> take_lines() {
    for (auto next = checked([&] { return lines.next(); }); next; next = checked([&] { return lines.next(); }))
      co_await take(*next);
  }

  task<void> take(std::string_view text) {
    ++line;
    if (text.empty()) co_return;
    parse(text);
    ++to.out.items_read;
    const auto again = in_batch.find(key);
    if (again != in_batch.end() && batch.items().fits(item.size())) {
      batch.items().replace(again->second, item, line);
      co_return;
    }
    if (again != in_batch.end() || !batch.fits(item.size())) co_await send();
    if (under_way.contains(key)) {
      co_await to.writes.drain();
      under_way.clear();
    }
    co_await batch.add(item, line);
    in_batch.emplace(key, batch.items().size() - 1);
  }

  task<void> send() {
    // Bounded: the set is emptied before it outgrows a few batches for each place in flight.
    if (under_way.size() > 4 * dynamodb::write_batch::max_items * to.run.table_parallelism) {
      co_await to.writes.drain();
      under_way.clear();
    }
    for (auto& [sent, place] : in_batch) under_way.insert(sent);
    in_batch.clear();
    co_await batch.send();
  }

  void parse(std::string_view text) {
    item.clear();
    key.clear();
    archive::line_kind kind{};
    try {
      kind = reader.read(text, item, key);
    } catch (const format_error& e) {
      throw format_error(from.name() + " line " + std::to_string(line) + ": " + e.what() +
                         ". The lines before it were written");
    }
    if (kind != archive::line_kind::plain_json || warned_plain) return;
    warned_plain = true;
    to.out.warnings.push_back(
        "plain JSON lines, as the older Scala tool wrote them: sets became lists and binary became text when that file "
        "was "
        "written; they are restored as what the file says");
  }
};

}  // namespace

task<void> restore_foreign(restore_target& to, snapshot_file from) {
  foreign_reader work{to, std::move(from)};
  co_await work.all();
}

}  // namespace dynabackup::pipelines
