#include <array>
#include <set>
#include <utility>

#include "archive/descriptor.hpp"
#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "archive/run_record.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/snapshot.hpp"
#include "simulation/oracle.hpp"
#include "simulation/snapshot_files.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::simulation {
namespace {

world_settings draw_world(dice& chance, const trial_options& options) {
  world_settings w;
  w.verbose = options.verbose;
  w.session_tokens = options.seed % 4 == 2;
  w.writers = options.seed % 2 == 0;
  w.store.conditions_enforced = !chance.one_in(4);
  w.store.smallest_part = 1;
  w.store.list_page = chance.one_in(2) ? 7 : 1000;
  return w;
}

/// What the coverage of the bucket says, and so must the snapshot.
struct bucket_state {
  bool covered = true;
  bool strangers = false;
};

bucket_state fill_bucket(world& outside, dice& chance) {
  bucket_state state;
  const std::uint64_t count = 200 + chance.below(150);
  for (std::uint64_t n = 0; n < count; ++n) outside.write(n);
  outside.settle();  // the recorder has caught up
  outside.time.advance_to(outside.time.elapsed() + minutes{10});
  outside.store.put(world::home.bucket, archive::descriptor_key(world::home),
                    archive::write_descriptor({.table = world::table,
                                               .arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/items",
                                               .id = "1",
                                               .created = "1700000000",
                                               .key = outside.key}),
                    {});
  archive::run_record run{.id = "20261122T000000Z-00000000",
                          .table_arn = "arn",
                          .started = "2026-11-22T00:00:00Z",
                          .ended = "2026-11-22T00:10:00Z",
                          .finished = true,
                          .swept = true,
                          .stream_label = "label",
                          .changes_recorded = true,
                          .conditional_writes = true};
  if (chance.one_in(5)) run.swept = state.covered = false;
  outside.store.put(world::home.bucket, archive::run_key(world::home, run.id), archive::write_run_record(run), {});
  if (chance.one_in(8)) {
    outside.store.put(world::home.bucket, world::home.key(".dynabackup/gaps/1"), "{}", {});
    state.covered = false;
  }
  state.strangers = chance.one_in(8);
  if (state.strangers) outside.store.put(world::home.bucket, world::home.key("README"), "not ours", {});
  return state;
}

/// A state of an item object, and from when to when it was current.
struct period {
  fakes::wall_time from, to;
  std::string line;  ///< empty: none
};

std::vector<period> history(const world& outside, const std::string& object) {
  std::vector<period> all;
  fakes::wall_time until = fakes::wall_time::max();
  for (const fakes::object_version& v : outside.store.versions(world::home.bucket, object)) {
    all.push_back({v.last_modified, until, v.delete_marker() ? std::string() : *v.body});
    until = v.last_modified;
  }
  all.push_back({fakes::wall_time::min(), until, {}});
  return all;
}

struct judgement {
  world& outside;
  verdict& v;
  archive::manifest manifest{};
  fakes::wall_time from{}, to{};

  void all(const std::string& name, const std::string& bytes, const std::string& etag) {
    const auto books = outside.store.current(world::snapshots.bucket, archive::manifest_key(world::snapshots, name));
    if (books.size() != 1) return v.blame("no manifest");
    manifest = archive::read_manifest(*books.begin()->second.body);
    if (manifest.etag != etag || manifest.size != bytes.size() || manifest.sha256 != crypto::sha256_hex(bytes))
      v.blame("the manifest speaks of another object");
    from = text::parse_rfc3339(manifest.from).value();
    to = text::parse_rfc3339(manifest.to).value() + seconds{1};  // the Date of an answer has whole seconds
    const std::vector<std::string> lines = unpack(bytes);
    if (lines.size() != manifest.items) v.blame("the manifest counts other items than there are");
    judge_lines({lines.begin(), lines.end()}, lines.size());
  }

  /// Every key in a state it had between from and to: of those, one, or none where none was among them.
  void judge_lines(std::set<std::string> lines, std::size_t count) {
    if (lines.size() != count) v.blame("doubled: a line comes twice");
    std::set<std::string> objects;
    for (const s3::listed_version& each : versions_under(outside, world::home.bucket, world::home.prefix))
      if (archive::is_object_name(each.key.substr(world::home.prefix.size()))) objects.insert(each.key);
    for (const std::string& object : objects) judge_object(object, lines);
    for (const std::string& line : lines) v.blame("a line that was no state of any object in that time: " + line);
  }

  void judge_object(const std::string& object, std::set<std::string>& lines) {
    bool absent_allowed = false;
    int found = 0;
    for (const period& p : history(outside, object)) {
      if (p.from > to || p.to < from) continue;
      if (p.line.empty())
        absent_allowed = true;
      else
        found += static_cast<int>(lines.erase(p.line));
    }
    if (found > 1) v.blame("doubled: two states of " + object);
    if (found == 0 && !absent_allowed) v.blame("lost: " + object);
  }
};

/// Whatever name appeared, also that of a run which did not end: it is a whole file.
void judge_appearance(const fakes::object_version& object, const std::string& name, verdict& v) {
  try {
    (void)unpack(*object.body);
  } catch (const error& e) {
    v.blame(name + " appeared though it is not complete: " + e.what());
  }
}

void judge_snapshot(world& outside, const bucket_state& state, const std::string& name, const report& told,
                    verdict& v) {
  const std::string prefix = world::snapshots.prefix;
  for (const auto& [key, object] : outside.store.current(world::snapshots.bucket, prefix + "snap-"))
    judge_appearance(object, key, v);
  const auto found = outside.store.current(world::snapshots.bucket, prefix + name);
  if (found.size() != 1) return v.blame("the snapshot is not there");
  judgement judge{outside, v};
  judge.all(name, *found.begin()->second.body, found.begin()->second.etag);
  if (told.whole() != (state.covered && !state.strangers)) v.blame("the report does not say what is covered");
  if (judge.manifest.covered != state.covered) v.blame("the manifest does not say what is covered");
  if (told.items_written != judge.manifest.items) v.blame("the report counts other items than there are");
  v.whole = told.whole();
}

/// A run that was dropped leaves uploads behind, and so does a request whose answer was lost; a day later the next
/// snapshot finds them by their notes, and leaves nothing.
void judge_a_day_later(world& outside, conduct& user, const std::function<operation(int)>& start, verdict& v) {
  const auto open = [&outside] { return outside.store.open_uploads(world::snapshots.bucket); };
  const auto notes = [&outside] {
    const std::string prefix = world::snapshots.prefix + std::string(archive::bookkeeping) + "uploads/";
    return outside.store.current(world::snapshots.bucket, prefix).size();
  };
  if (open() > 0 && notes() == 0) return v.blame("an open upload that no note tells of");
  if (notes() == 0) return;
  outside.time.advance_to(outside.time.elapsed() + std::chrono::hours{25});
  user.once_in_peace(outside, start, v);
  outside.settle();
  if (open() > 0) v.blame("a day later: " + std::to_string(open()) + " open uploads");
  if (notes() > 0) v.blame("a day later: " + std::to_string(notes()) + " notes of uploads");
}

}  // namespace

verdict snapshot_trial(const trial_options& options) {
  dice chance(options.seed * 4 + 3);
  verdict v;
  world outside(chance.next(), draw_world(chance, options));
  outside.reference.write_to(world::home.bucket, world::home.prefix, "label");
  outside.tables.on_change(world::table, [&outside](const fakes::table_change& c) { outside.reference.take(c); });
  const bucket_state state = fill_bucket(outside, chance);
  if (outside.settings.writers) outside.let_writers_loose(chance.between(milliseconds{2'000}, milliseconds{30'000}));
  conduct user(options.seed, outside, chance);
  user.handlers_expected = 1'000;
  snapshot_options what{.from = world::home, .to = world::snapshots, .name = "", .overwrite = chance.one_in(4)};
  what.codec = chance.pick(std::array{compression::gzip, compression::zstd, compression::none});
  const std::size_t part_bytes = chance.one_in(2) ? std::size_t{512} << chance.below(5) : pipelines::usual_part_bytes;
  // A user gives each start a name of its own, or has ours overwrite.
  auto start = [&what, part_bytes](int n) -> operation {
    what.name = what.overwrite ? "snap-0" : "snap-" + std::to_string(n);
    return [&what, part_bytes](composition& c, progress& seen) {
      c.part_bytes = part_bytes;
      return c.timed(&pipelines::snapshot, what, seen);
    };
  };
  const std::optional<report> told = user.until_done(outside, start, v);
  outside.stop_writers();
  outside.settle();
  v.items = outside.items().size();
  if (!told) return v;
  judge_snapshot(outside, state, what.name, *told, v);
  judge_a_day_later(outside, user, start, v);
  return v;
}

}  // namespace dynabackup::simulation
