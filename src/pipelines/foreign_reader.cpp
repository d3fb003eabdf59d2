#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "archive/block_codec.hpp"
#include "archive/line_splitter.hpp"
#include "archive/snapshot_line.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/item_batch.hpp"
#include "pipelines/late_writes.hpp"
#include "pipelines/snapshot_file.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::uint64_t range_bytes = std::uint64_t{2} << 20;
constexpr std::size_t decode_bytes = std::size_t{1} << 20;

/// Keys may repeat and the last line wins, so a line must never overtake an earlier one of its key. One reader goes
/// through the file in order; a key that is in the batch being filled is replaced there, and before a key that is
/// already under way goes out again everything under way is waited for. Batches of distinct keys go in parallel.
/// A put whose answer was lost may overtake a later line even then: late_writes looks at those keys again, and until
/// then no checkpoint passes them.
struct foreign_reader {
  restore_target& to;
  snapshot_file from;
  std::shared_ptr<settled_prefix> settled = to.progress.begin_lines();
  item_batch batch{to, settled};
  // Shared with the batches under way, which outlive this when a run ends early.
  std::shared_ptr<late_writes> late = std::make_shared<late_writes>(to.run);
  std::optional<std::uint64_t> held{};  // the piece that keeps checkpoints from passing what is to be looked at
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
    co_await send();
    co_await settle();
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
    if (line <= to.progress.lines_before()) co_return;
    co_await take_new(text);
    batch.take_line();
  }

  task<void> take_new(std::string_view text) {
    if (text.empty()) co_return;
    parse(text);
    ++to.out.items_read;
    const auto again = in_batch.find(key);
    if (again != in_batch.end() && batch.fits(item.size())) {
      batch.replace(again->second, item, line);
      hold_if(late->writing(key, item));
      co_return;
    }
    if (again != in_batch.end() || !batch.fits(item.size())) co_await send();
    if (under_way.contains(key)) {
      co_await to.writes.drain();
      under_way.clear();
    }
    if (late->full()) {
      co_await send();
      co_await settle();
    }
    hold_if(late->writing(key, item));
    co_await batch.add(item, line);
    in_batch.emplace(key, batch.size() - 1);
  }

  task<void> send() {
    // Bounded: the set is emptied before it outgrows a few batches for each place in flight.
    if (under_way.size() > 4 * dynamodb::write_batch::max_items * to.run.table_parallelism) {
      co_await to.writes.drain();
      under_way.clear();
    }
    std::vector<std::string> keys;
    for (const auto& [sent, place] : in_batch) keys.push_back(sent);
    under_way.insert(keys.begin(), keys.end());
    in_batch.clear();
    co_await batch.send([late = late, keys = std::move(keys)] { late->unsettled(keys); });
  }

  void hold_if(bool to_be_looked_at) {
    if (to_be_looked_at && !held) held = settled->begin(0);
  }

  task<void> settle() {
    co_await to.writes.drain();
    under_way.clear();
    if (late->anything_to_look_at())
      co_await late->settle(to.table, [this](std::string its_key, std::string again) {
        return put_again(std::move(its_key), std::move(again));
      });
    if (held) settled->end(*std::exchange(held, std::nullopt), 0);
  }

  task<void> put_again(std::string its_key, std::string again) {
    dynamodb::write_batch one(to.table, batch_bytes);
    one.add(again, 0);
    byte_budget::charge charge = co_await to.batches.acquire(2 * again.size());
    batch_end end{settled, settled->begin(0),
                  [late = late, keys = std::vector{std::move(its_key)}] { late->unsettled(keys); }};
    const auto written = to.out.items_written, refused = to.out.items_refused;
    const auto named = static_cast<std::ptrdiff_t>(to.out.findings.size());
    co_await to.writer.write(std::move(one), std::move(charge), std::move(end));
    to.out.items_written = written;  // it was counted, or named, when it was written first
    to.out.items_refused = refused;
    to.out.findings.erase(to.out.findings.begin() + named, to.out.findings.end());
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
