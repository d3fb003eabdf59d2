#include "pipelines/shard_tree.hpp"

#include <algorithm>

namespace dynabackup::pipelines {
namespace {

std::set<std::string> names_of(const std::vector<dynamodb::stream_shard>& all) {
  std::set<std::string> names;
  for (const dynamodb::stream_shard& s : all) names.insert(s.id);
  return names;
}

}  // namespace

void shard_tree::resume(const std::vector<archive::shard_position>& positions, time_point read_until) {
  for (const archive::shard_position& p : positions)
    known_[p.shard] = {p.parent, p.sequence, p.done, false, read_until};
  resumed_ = from_checkpoint_ = !known_.empty();
}

/// What positions() left out of the checkpoint: all that is recorded to its end, however long a line of descent.
shard_tree::names shard_tree::left_out(const std::vector<dynamodb::stream_shard>& all) const {
  names done;
  if (!from_checkpoint_) return done;
  std::map<std::string, std::string> parents;
  for (const dynamodb::stream_shard& s : all) parents.emplace(s.id, s.parent);
  for (const auto& [id, s] : known_) {
    if (!s.done && s.sequence.empty()) continue;
    auto above = parents.find(s.parent);
    while (above != parents.end() && !known_.contains(above->first) && done.insert(above->first).second)
      above = parents.find(above->second);
  }
  return done;
}

shard_tree::losses shard_tree::losses_of(const std::vector<dynamodb::stream_shard>& all) const {
  losses found;
  const names listed = names_of(all);
  const names done = left_out(all);
  for (const dynamodb::stream_shard& s : all) {
    const bool fresh = !known_.contains(s.id) && !done.contains(s.id);
    const bool stranger = !s.parent.empty() && !listed.contains(s.parent) && !known_.contains(s.parent);
    if (fresh && stranger && resumed_) found.unseen = true;
  }
  for (const auto& [id, s] : known_)
    if (lost(id, s, listed)) found.shards.push_back(id);
  return found;
}

void shard_tree::take(const std::vector<dynamodb::stream_shard>& all, time_point before) {
  const names listed = names_of(all);
  const names done = left_out(all);
  for (const dynamodb::stream_shard& s : all)
    known_.try_emplace(s.id, shard{s.parent, {}, done.contains(s.id), false, before});
  for (auto& [id, s] : known_) s.done = s.done || lost(id, s, listed);
  // Of shards that are listed no more nothing needs to be known, once their children are.
  std::erase_if(known_, [&](const auto& each) { return each.second.done && !listed.contains(each.first); });
  resumed_ = true;
  from_checkpoint_ = false;
}

void shard_tree::all_read_until(time_point at) {
  for (auto& [id, s] : known_) s.read_until = at;
}

shard_tree::time_point shard_tree::read_at(time_point latest) const {
  for (const auto& [id, s] : known_)
    if (!s.done) latest = std::min(latest, s.read_until);
  return latest;
}

std::vector<std::string> shard_tree::ready() {
  std::vector<std::string> result;
  for (auto& [id, s] : known_) {
    if (s.done || s.taken) continue;
    const auto parent = known_.find(s.parent);
    if (parent != known_.end() && !parent->second.done) continue;
    s.taken = true;
    result.push_back(id);
  }
  return result;
}

bool shard_tree::all_done() const {
  return std::all_of(known_.begin(), known_.end(), [](const auto& each) { return each.second.done; });
}

std::vector<archive::shard_position> shard_tree::positions() const {
  names told;
  for (const auto& [id, s] : known_)
    if (s.done || !s.sequence.empty()) told.insert(s.parent);
  std::vector<archive::shard_position> result;
  for (const auto& [id, s] : known_)
    if (!s.done || !told.contains(id)) result.push_back({id, s.parent, s.done, s.sequence});
  return result;
}

}  // namespace dynabackup::pipelines
