#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "pipelines/restore.hpp"
#include "simulation/items.hpp"
#include "simulation/recorder.hpp"
#include "simulation/snapshot_files.hpp"
#include "simulation/trial.hpp"
#include "simulation/world.hpp"

namespace dynabackup::simulation {
namespace {

using item_map = std::map<std::string, std::string>;  // canonical key → canonical item

/// What the table takes where it is made to refuse some items: any of random_item's, but none that is padded.
constexpr std::size_t most_item_bytes = 4'000;

world_settings draw_world(dice& chance, const trial_options& options) {
  world_settings w;
  w.verbose = options.verbose;
  w.session_tokens = options.seed % 4 == 2;
  w.stream = false;
  if (chance.one_in(4)) w.table.max_item_bytes = most_item_bytes;
  if (chance.one_in(2)) {
    const std::uint64_t seed = chance.next();
    w.table.processed = [left = dice(seed)](std::size_t requests) mutable -> std::size_t {
      return left.one_in(3) ? left.below(requests + 1) : requests;
    };
  }
  return w;
}

struct source_file {
  std::string name;
  item_map last{};  ///< what each key's last line says
  std::uint64_t lines = 0;
  std::set<std::uint64_t> too_large{};                    ///< lines, from 1, that the table refuses
  std::map<std::string, std::uint64_t> refused{};         ///< keys whose last line is one of those, and which
  std::map<std::string, std::set<std::string>> before{};  ///< of those: what lines before said that it takes
};

struct line_maker {
  world& outside;
  dice& chance;
  archive::canonicalizer canonical{};
  std::uint64_t revision = 1'000'000;

  /// A new state of item n: remembered as its key's last, returned as a line.
  std::string line(std::uint64_t n, source_file& file, bool foreign) {
    std::string spelt = random_item(chance, key_members(outside.key, n), ++revision);
    const bool too_large = outside.settings.table.max_item_bytes == most_item_bytes && chance.one_in(30);
    if (too_large) spelt.insert(spelt.size() - 1, R"(,"pad":{"S":")" + std::string(most_item_bytes, 'x') + R"("})");
    std::string item, key;
    canonical.item_and_key(spelt, outside.key, item, key);
    ++file.lines;
    if (too_large) {
      file.too_large.insert(file.lines);
      file.refused[key] = file.lines;
    } else {
      file.refused.erase(key);
      file.before[key].insert(item);
    }
    std::string text = !foreign ? body_of(item) : chance.one_in(2) ? R"({"Item":)" + spelt + "}" : spelt;
    file.last[key] = std::move(item);
    return text;
  }
};

std::string put_file(world& outside, const std::string& name, std::string bytes) {
  outside.store.put(world::snapshots.bucket, world::snapshots.key(name), std::move(bytes), {});
  return outside.store.versions(world::snapshots.bucket, world::snapshots.key(name)).front().etag;
}

/// As a snapshot of ours is: blocks, and a manifest bound to the object.
source_file our_file(world& outside, dice& chance, compression codec) {
  source_file file{"ours"};
  line_maker maker{outside, chance};
  std::vector<std::string> lines;
  for (std::uint64_t n = 0, count = 500 + chance.below(500); n < count; ++n)
    lines.push_back(maker.line(n, file, false));
  packed_lines packed = pack(lines, codec, 10 + chance.below(40));
  packed.manifest.etag = put_file(outside, file.name, packed.bytes);
  packed.manifest.source = world::home.text();
  packed.manifest.from = packed.manifest.to = "2026-11-22T11:00:00Z";
  packed.manifest.covered = true;
  outside.store.put(world::snapshots.bucket, archive::manifest_key(world::snapshots, file.name),
                    archive::write_manifest(packed.manifest), {});
  return file;
}

/// As another tool's: no manifest, any spelling, keys that come again.
source_file foreign_file(world& outside, dice& chance, compression codec) {
  source_file file{"foreign"};
  line_maker maker{outside, chance};
  const std::uint64_t count = 500 + chance.below(500);
  const std::uint64_t keys = chance.one_in(3) ? count : chance.one_in(3) ? 20 : count / 2;
  std::vector<std::string> lines;
  for (std::uint64_t n = 0; n < count; ++n)
    lines.push_back(maker.line(keys == count ? n : chance.below(keys), file, true));
  put_file(outside, file.name, pack(lines, codec, lines.size()).bytes);
  return file;
}

/// What the table holds before: items of other keys, and older states of some that the file has.
item_map fill_table(world& outside, dice& chance) {
  for (std::uint64_t n = 0; n < 20; ++n) outside.write(100'000 + n);
  for (std::uint64_t n = 0; n < 500; n += 1 + chance.below(20)) outside.write(n);
  outside.time.advance_to(outside.time.elapsed() + minutes{10});
  return outside.items();
}

/// Each is counted and named, and nothing else is. What an earlier start of a run that was taken up named is only
/// counted by this one.
void judge_refusals(const source_file& file, const report& told, verdict& v) {
  std::set<std::uint64_t> named;
  for (const finding& f : told.findings) {
    if (f.kind != "refused" || !file.too_large.contains(f.line))
      v.blame("a finding of kind " + f.kind + " for line " + std::to_string(f.line));
    else if (!named.insert(f.line).second)
      v.blame("line " + std::to_string(f.line) + " is named twice");
  }
  const std::uint64_t count = told.items_refused;
  if (count < file.refused.size() || count > file.too_large.size())
    v.blame("counts " + std::to_string(count) + " items refused, it must be " + std::to_string(file.refused.size()) +
            " to " + std::to_string(file.too_large.size()));
  if (told.items_resumed > 0) return;
  if (named.size() != count)
    v.blame("names " + std::to_string(named.size()) + " items refused, counts " + std::to_string(count));
  for (const auto& [key, line] : file.refused)
    if (!named.contains(line)) v.blame("line " + std::to_string(line) + " was refused, and is not named");
}

/// The table keeps what it had, or what an earlier line of that key said.
bool is_kept(const source_file& file, const std::string& key, const item_map& before, const item_map& there) {
  const auto found = there.find(key);
  const auto had = before.find(key);
  if (found == there.end()) return had == before.end();
  const auto lines = file.before.find(key);
  return (had != before.end() && had->second == found->second) ||
         (lines != file.before.end() && lines->second.contains(found->second));
}

void judge_restore(world& outside, const source_file& file, item_map expected, const report& told, verdict& v) {
  const item_map there = outside.items();
  std::size_t wrong = 0, refused_there = 0;
  for (const auto& [key, item] : file.last) {
    if (!file.refused.contains(key)) {
      expected[key] = item;
    } else {
      if (!is_kept(file, key, expected, there)) v.blame("altered, though its line was refused: " + key);
      expected.erase(key);
      refused_there += there.count(key);
    }
  }
  for (const auto& [key, item] : expected) {
    const auto found = there.find(key);
    if (found != there.end() && found->second == item) continue;
    if (++wrong <= 5)
      v.blame((found == there.end() ? "lost: " : "altered: ") + key +
              (told.whole() ? ", and the report says whole" : ""));
  }
  if (wrong > 5) v.blame("… and " + std::to_string(wrong - 5) + " more");
  if (there.size() > expected.size() + refused_there) v.blame("items that nobody asked for");
  judge_refusals(file, told, v);
  if (told.whole() != (told.items_refused == 0)) v.blame("the report does not say what is whole: " + told.not_covered);
  if (told.items_read != file.lines) v.blame("read " + std::to_string(told.items_read) + " lines");
  if (outside.store.open_uploads(world::snapshots.bucket) > 0) v.blame("an open upload");
  v.whole = told.whole();
}

}  // namespace

verdict restore_trial(const trial_options& options) {
  dice chance(options.seed * 4 + 2);
  verdict v;
  world outside(chance.next(), draw_world(chance, options));
  item_map before = fill_table(outside, chance);
  const compression codec = chance.pick(std::array{compression::gzip, compression::zstd, compression::none});
  const bool foreign = chance.one_in(2);
  const source_file file = foreign ? foreign_file(outside, chance, codec) : our_file(outside, chance, codec);
  conduct user(options.seed, outside, chance);
  user.handlers_expected = 150;
  restore_options what;
  what.from = world::snapshots;
  what.name = file.name;
  what.table = world::table;
  if (!foreign && chance.one_in(2)) what.state = "s3";
  // A batch of a run that was dropped may still take effect a minute later, over lines that a run begun at once has
  // written by then, and that run cannot know. This user waits: a minute, and as long as an attempt may have been
  // stuck.
  if (foreign) user.pause = std::max(user.pause, milliseconds{130'000});
  auto start = [&what, &outside](int) -> operation {
    const std::string books = world::snapshots.prefix + std::string(archive::bookkeeping) + "checkpoints/";
    what.resume = !what.state.empty() && !outside.store.current(world::snapshots.bucket, books).empty();
    return [&what](composition& c, progress& seen) { return c.timed(&pipelines::restore, what, seen); };
  };
  const std::optional<report> told = user.until_done(outside, start, v);
  outside.settle();
  v.items = file.lines;
  if (told) judge_restore(outside, file, std::move(before), *told, v);
  return v;
}

}  // namespace dynabackup::simulation
