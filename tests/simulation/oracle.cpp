#include "simulation/oracle.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::simulation {
namespace {

constexpr std::size_t most_told = 5;

std::string books() { return world::home.prefix + std::string(archive::bookkeeping); }

/// A checkpoint stays where it may not or could not be removed, where its last PUT came late (then it is of a closed
/// run, which is never taken up, or of one that seems to be alive, which the report names), or where the run was
/// dropped between its record's end and its checkpoint's.
bool may_stay(const world& outside, const std::string& name, const report& told, const verdict& v) {
  constexpr std::string_view head = "checkpoints/backfill-";
  if (!name.starts_with(head)) return false;
  if (!outside.settings.store.removal_allowed || outside.kept_checkpoint) return true;
  const std::string file = name.substr(head.size());
  const auto record = outside.store.current(world::home.bucket, books() + "runs/" + file);
  if (record.empty()) return false;
  const archive::run_record run = archive::read_run_record(*record.begin()->second.body);
  if (run.ended.empty())
    return std::any_of(told.warnings.begin(), told.warnings.end(),
                       [&run](const std::string& w) { return w.find(run.id) != std::string::npos; });
  return outside.late_checkpoint || v.crashes + v.interruptions + v.failures > 0;
}

void judge_bookkeeping(world& outside, const report& told, verdict& v) {
  std::set<std::string> left;
  for (const s3::listed_version& found : versions_under(outside, world::home.bucket, books())) {
    const std::string name = found.key.substr(books().size());
    const bool known = name == "descriptor.json" || name == "recorder.json" || name.starts_with("runs/") ||
                       name.starts_with("probes/") || may_stay(outside, name, told, v);
    if (!known) left.insert(found.key + (found.delete_marker ? " (a delete marker)" : ""));
  }
  for (const std::string& each : left) v.blame("left behind: " + each);
}

void judge_run_record(const world& outside, const report& told, verdict& v) {
  const std::optional<archive::run_record> run = newest_run(outside);
  if (!run) return v.blame("no run record");
  if (!run->finished || run->ended.empty()) v.blame("run record " + run->id + " is open though the run is over");
  if (told.whole() && outside.settings.stream && !(run->swept && run->changes_recorded))
    v.blame("the report says whole, run record " + run->id + " does not");
}

/// A lost item is never excused; another state only by name, what came back only by a report that says that it may.
bool is_told_of(const difference& d, const std::set<std::string>& named, const report& told) {
  if (d.kind == difference_kind::missing) return false;
  if (named.contains(d.object)) return true;
  // What was found before a crash was counted in the checkpoint, and named by nobody who could still speak.
  const auto differing =
      std::count_if(told.findings.begin(), told.findings.end(), [](const finding& f) { return f.kind == "differs"; });
  return d.kind == difference_kind::altered && told.items_resumed > 0 &&
         told.items_differing > static_cast<std::uint64_t>(differing);
}

/// Whether a reason not to be covered exists in this world: what came back may neither be removed nor hidden, or what
/// hides it may have met a newer change; or a run was left open, because its last checkpoint came late and looked like
/// a sign of life.
bool uncovered_for_a_reason(const world& outside) {
  const fakes::s3_traits& store = outside.settings.store;
  const auto runs = outside.store.current(world::home.bucket, books() + "runs/");
  for (const auto& [key, version] : runs)
    if (!archive::read_run_record(*version.body).swept) return true;
  return !store.removal_allowed && (!store.markers_allowed || !store.conditions_enforced);
}

}  // namespace

std::vector<difference> differences(const world& outside) {
  std::vector<difference> found;
  std::map<std::string, fakes::object_version> objects = outside.store.current(world::home.bucket, world::home.prefix);
  for (const auto& [key, item] : outside.items()) {
    const std::string name = world::home.prefix + archive::object_name(key);
    const auto object = objects.find(name);
    if (object == objects.end())
      found.push_back({difference_kind::missing, name, key});
    else if (*object->second.body != body_of(item))
      found.push_back({difference_kind::altered, name, key});
    if (object != objects.end()) objects.erase(object);
  }
  for (const auto& [name, object] : objects)
    if (!name.starts_with(books())) found.push_back({difference_kind::revived, name, {}});
  return found;
}

std::string describe(const difference& d) {
  switch (d.kind) {
    case difference_kind::missing:
      return "lost: " + d.key + " has no current object (" + d.object + ")";
    case difference_kind::altered:
      return "altered: " + d.key + " has another state in " + d.object;
    case difference_kind::revived:
      break;
  }
  return "brought back: " + d.object + " is of no item of the table";
}

std::vector<s3::listed_version> versions_under(world& outside, const std::string& bucket, const std::string& prefix) {
  std::vector<s3::listed_version> all;
  std::string markers;
  for (;;) {
    request r;
    r.method = "GET";
    r.target = "/" + bucket + "?encoding-type=url" + markers + "&prefix=" + text::percent_encode(prefix) + "&versions=";
    const response answer = outside.store.handle(r);
    if (answer.status != 200) throw error("the oracle cannot list: " + answer.body);
    s3::version_page page = s3::read_version_page(answer.body);
    for (s3::listed_version& one : page.versions) all.push_back(std::move(one));
    if (!page.next_key_marker) return all;
    markers = "&key-marker=" + text::percent_encode(*page.next_key_marker) +
              "&version-id-marker=" + text::percent_encode(page.next_version_id_marker);
  }
}

std::optional<archive::run_record> newest_run(const world& outside) {
  const auto runs = outside.store.current(world::home.bucket, books() + "runs/");
  if (runs.empty()) return std::nullopt;
  return archive::read_run_record(*runs.rbegin()->second.body);
}

void judge_backfill(world& outside, const report& told, verdict& v) {
  std::set<std::string> named;
  for (const finding& f : told.findings) {
    named.insert(f.object);
    if (f.kind != "differs" && f.kind != "resurrected") v.blame("a finding of an unknown kind: " + f.kind);
  }
  if (told.items_read != told.items_written + told.items_present + told.items_differing)
    v.blame("the counts do not add up");
  if (!told.not_covered.empty() && !uncovered_for_a_reason(outside))
    v.blame("says without a reason: " + told.not_covered);
  std::size_t unexplained = 0;
  for (const difference& d : differences(outside)) {
    if (is_told_of(d, named, told)) continue;
    if (++unexplained <= most_told)
      v.blame(describe(d) + (told.whole() ? std::string(", and the report says whole")
                                          : ", and the report counts " + std::to_string(told.items_differing) +
                                                " that differ, names " + std::to_string(named.size())));
  }
  if (unexplained > most_told) v.blame("… and " + std::to_string(unexplained - most_told) + " more");
  judge_bookkeeping(outside, told, v);
  judge_run_record(outside, told, v);
  v.whole = told.whole();
}

}  // namespace dynabackup::simulation
