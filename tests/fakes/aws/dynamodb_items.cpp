#include "fakes/aws/dynamodb_items.hpp"

#include <utility>

namespace dynabackup::fakes {

__extension__ using wide = unsigned __int128;

hash_range segment_range(std::uint64_t segment, std::uint64_t total) {
  const wide whole = wide{1} << 64;
  const auto begin = [&](std::uint64_t i) { return (whole * i + total - 1) / total; };
  return {static_cast<std::uint64_t>(begin(segment)), static_cast<std::uint64_t>(begin(segment + 1) - 1)};
}

const stored_item* item_store::find(std::string_view key) const {
  const item_place place = keys_.place(key);
  const auto found = items_.find(position_view{place.hash, place.sort, key});
  return found == items_.end() ? nullptr : &found->second;
}

std::optional<stored_item> item_store::find_as_of(std::string_view key, wall_time moment) const {
  for (const change& c : history_) {
    if (c.at > moment && c.key == key) return c.before;
  }
  const stored_item* found = find(key);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

item_store::put_outcome item_store::put(const std::string& key, stored_item item, wall_time now) {
  item_place place = keys_.place(key);
  const auto at = items_.lower_bound(position_view{place.hash, place.sort, key});
  const bool there = at != items_.end() && at->first.hash == place.hash && at->first.key == key;
  if (there && at->second.text == item.text) return {std::move(item), false};
  size_bytes_ += item.size - (there ? at->second.size : 0);
  if (!there) {
    items_.emplace_hint(at, position{place.hash, std::move(place.sort), key}, std::move(item));
    remember(key, std::nullopt, now);
    return {std::nullopt, true};
  }
  std::optional<stored_item> before = std::exchange(at->second, std::move(item));
  remember(key, before, now);
  return {std::move(before), true};
}

std::optional<stored_item> item_store::remove(const std::string& key, wall_time now) {
  const item_place place = keys_.place(key);
  const auto at = items_.find(position_view{place.hash, place.sort, key});
  if (at == items_.end()) return std::nullopt;
  size_bytes_ -= at->second.size;
  std::optional<stored_item> before = std::move(at->second);
  items_.erase(at);
  remember(key, before, now);
  return before;
}

void item_store::remember(const std::string& key, const std::optional<stored_item>& before, wall_time now) {
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
                       const visitor& show) const {
  const overlay past = as_of ? changed_since(*as_of) : overlay{};
  map past_items;
  for (const auto& [key, item] : past) {
    if (!item) continue;
    item_place place = keys_.place(key);
    past_items.emplace(position{place.hash, std::move(place.sort), key}, *item);
  }
  const auto start = [&](const map& items) {
    if (!after) return items.lower_bound(position_view{range.first, {}, {}});
    const item_place place = keys_.place(*after);
    return items.upper_bound(position_view{place.hash, place.sort, *after});
  };
  const auto done = [&](const auto& at, const map& items) { return at == items.end() || at->first.hash > range.last; };
  auto now = start(items_);
  auto then = start(past_items);
  while (true) {
    while (!past.empty() && !done(now, items_) && past.contains(now->first.key)) ++now;
    const bool no_now = done(now, items_);
    const bool no_then = done(then, past_items);
    if (no_now && no_then) return;
    auto& next = no_now || (!no_then && before{}(then->first, now->first)) ? then : now;
    if (!show(next->first.key, next->second)) return;
    ++next;
  }
}

}  // namespace dynabackup::fakes
