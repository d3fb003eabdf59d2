#include "pipelines/late_writes.hpp"

#include <algorithm>
#include <utility>

#include "archive/canonical_json.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {

void late_writes::unsettled(const std::vector<std::string>& keys) {
  const auto now = run_.clock.steady_now();
  if (until_.size() + keys.size() > most_unsettled)
    std::erase_if(until_, [now](const auto& each) { return each.second <= now; });
  for (const std::string& key : keys) until_[key] = now + late_effects;
}

bool late_writes::may_come_late(const std::string& key) const {
  // A map that is full of keys that are all recent says yes to every key: slow, never wrong.
  if (until_.size() >= most_unsettled) return true;
  const auto found = until_.find(key);
  return found != until_.end() && found->second > run_.clock.steady_now();
}

bool late_writes::writing(const std::string& key, const std::string& item) {
  // What is to be looked at already is compared with the newest state, also when nothing late threatens that one.
  if (!to_look_at_.contains(key) && !may_come_late(key)) return false;
  bytes_ += key.size() + item.size();
  to_look_at_[key] = item;
  return true;
}

task<void> late_writes::settle(std::string table,
                               std::function<task<void>(std::string key, std::string item)> put_again) {
  auto last = run_.clock.steady_now();
  for (const auto& [key, until] : until_) last = std::max(last, until);
  co_await wait_for(run_, std::chrono::ceil<std::chrono::milliseconds>(last - run_.clock.steady_now()));
  until_.clear();
  archive::canonicalizer canonical;
  const auto looking = std::exchange(to_look_at_, {});
  bytes_ = 0;
  for (const auto& [key, item] : looking) {
    co_await run_.reads.take(1);
    const std::optional<std::string> found = co_await run_.tables.get_item(table, key);
    std::string now;
    if (found) canonical.item(*found, now);
    if (now != item) co_await put_again(key, item);
  }
}

}  // namespace dynabackup::pipelines
