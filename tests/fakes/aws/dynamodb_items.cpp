#include "fakes/aws/dynamodb_items.hpp"

#include <tuple>
#include <utility>

namespace dynabackup::fakes {

__extension__ using wide = unsigned __int128;

hash_range segment_range(std::uint64_t segment, std::uint64_t total) {
  const wide whole = wide{1} << 64;
  const auto begin = [&](std::uint64_t i) { return (whole * i + total - 1) / total; };
  return {static_cast<std::uint64_t>(begin(segment)), static_cast<std::uint64_t>(begin(segment + 1) - 1)};
}

bool item_store::position::operator<(const position& other) const {
  return std::tie(place.hash, place.sort, *key) < std::tie(other.place.hash, other.place.sort, *other.key);
}

const std::string* item_store::find(const std::string& key) const {
  const auto found = items_.find(key);
  return found == items_.end() ? nullptr : &found->second;
}

std::optional<std::string> item_store::find_as_of(const std::string& key, wall_time moment) const {
  for (const change& c : history_) {
    if (c.at > moment && c.key == key) return c.before;
  }
  const std::string* found = find(key);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<std::string> item_store::put(const std::string& key, std::string item, wall_time now) {
  const std::size_t size = item_size(item);
  const auto [at, added] = items_.try_emplace(key);
  std::optional<std::string> before;
  if (!added) before = std::exchange(at->second, {});
  at->second = std::move(item);
  entry& placed = order_[{keys_.place(key), &at->first}];
  size_bytes_ += size - (added ? 0 : placed.size);
  placed = {&at->second, size};
  remember(key, before, now);
  return before;
}

std::optional<std::string> item_store::remove(const std::string& key, wall_time now) {
  const auto at = items_.find(key);
  if (at == items_.end()) return std::nullopt;
  const auto placed = order_.find({keys_.place(key), &at->first});
  size_bytes_ -= placed->second.size;
  order_.erase(placed);
  std::optional<std::string> before = std::move(at->second);
  remember(key, before, now);
  items_.erase(at);
  return before;
}

void item_store::remember(const std::string& key, const std::optional<std::string>& before, wall_time now) {
  if (remembered_.count() == 0) return;
  while (!history_.empty() && history_.front().at < now - remembered_) history_.pop_front();
  history_.push_back({now, key, before});
}

/// What changed after `moment`, as it was then.
item_store::overlay item_store::changed_since(wall_time moment) const {
  overlay result;
  for (const change& c : history_) {
    if (c.at > moment) result.try_emplace(c.key, c.before);
  }
  return result;
}

void item_store::visit(hash_range range, const std::optional<std::string>& after, std::optional<wall_time> as_of,
                       const std::function<bool(const stored_item&)>& visitor) const {
  const overlay past = as_of ? changed_since(*as_of) : overlay{};
  std::map<position, entry> past_order;
  for (const auto& [key, item] : past) {
    if (item) past_order.emplace(position{keys_.place(key), &key}, entry{&*item, item_size(*item)});
  }
  const std::string none;
  const auto start = [&](const std::map<position, entry>& order) {
    if (after) return order.upper_bound({keys_.place(*after), &*after});
    return order.lower_bound({{range.first, {}}, &none});
  };
  auto now = start(order_);
  auto then = start(past_order);
  const auto done = [&](const auto& at, const auto& order) {
    return at == order.end() || at->first.place.hash > range.last;
  };
  while (true) {
    while (!past.empty() && !done(now, order_) && past.contains(*now->first.key)) ++now;
    const bool no_now = done(now, order_);
    const bool no_then = done(then, past_order);
    if (no_now && no_then) return;
    auto& next = no_now || (!no_then && then->first < now->first) ? then : now;
    if (!visitor({*next->first.key, *next->second.item, next->second.size})) return;
    ++next;
  }
}

}  // namespace dynabackup::fakes
