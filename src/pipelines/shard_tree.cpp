#include "pipelines/shard_tree.hpp"

#include <algorithm>
#include <set>

namespace dynabackup::pipelines {

void shard_tree::resume(const std::vector<archive::shard_position>& positions) {
  for (const archive::shard_position& p : positions) known_[p.shard] = {p.parent, p.sequence, p.done, false};
  resumed_ = !known_.empty();
}

shard_tree::losses shard_tree::listed(const std::vector<dynamodb::stream_shard>& all) {
  losses found;
  std::set<std::string> names;
  for (const dynamodb::stream_shard& s : all) names.insert(s.id);
  for (const dynamodb::stream_shard& s : all) {
    const bool fresh = !known_.contains(s.id);
    const bool stranger = !s.parent.empty() && !names.contains(s.parent) && !known_.contains(s.parent);
    if (fresh && stranger && resumed_) found.unseen = true;
  }
  for (const dynamodb::stream_shard& s : all) known_.try_emplace(s.id, shard{s.parent, {}, false, false});
  for (auto& [id, s] : known_) {
    if (s.done || s.taken || names.contains(id)) continue;
    found.shards.push_back(id);
    s.done = true;
  }
  // Of shards that are listed no more nothing needs to be known, once their children are.
  std::erase_if(known_, [&](const auto& each) { return each.second.done && !names.contains(each.first); });
  resumed_ = true;
  return found;
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

bool shard_tree::has_unbegun() const {
  return std::any_of(known_.begin(), known_.end(),
                     [](const auto& each) { return !each.second.done && each.second.sequence.empty(); });
}

std::vector<archive::shard_position> shard_tree::positions() const {
  std::vector<archive::shard_position> result;
  for (const auto& [id, s] : known_) result.push_back({id, s.parent, s.done, s.sequence});
  return result;
}

}  // namespace dynabackup::pipelines
