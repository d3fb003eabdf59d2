#include "fakes/aws/dynamodb_items.hpp"

#include <utility>

namespace dynabackup::fakes {

__extension__ using wide = unsigned __int128;

hash_range segment_range(std::uint64_t segment, std::uint64_t total) {
  const wide whole = wide{1} << 64;
  const auto begin = [&](std::uint64_t i) { return (whole * i + total - 1) / total; };
  return {static_cast<std::uint64_t>(begin(segment)), static_cast<std::uint64_t>(begin(segment + 1) - 1)};
}

void item_store::bucketed::added() {
  constexpr std::size_t per_bucket = 8;
  constexpr int most_bits = 24;
  if (++size_ <= per_bucket * buckets_.size() || bits_ == most_bits) return;
  std::vector<map> finer(buckets_.size() * 2);
  ++bits_;
  for (map& old : buckets_) {
    while (!old.empty()) {
      auto node = old.extract(old.begin());
      map& to = finer[index(node.key().hash)];
      to.insert(to.end(), std::move(node));
    }
  }
  buckets_ = std::move(finer);
}

/// Goes over all items in order.
class item_store::cursor {
 public:
  /// Begins at the first item that is not before `start`, or with `behind` after it.
  cursor(const bucketed& items, const position_view& start, bool behind)
      : items_(items), bucket_(&items.bucket_of(start.hash)) {
    at_ = behind ? bucket_->upper_bound(start) : bucket_->lower_bound(start);
    settle();
  }
  [[nodiscard]] bool done(std::uint64_t last) const { return bucket_ == nullptr || at_->first.hash > last; }
  const map::value_type& operator*() const { return *at_; }
  void operator++() {
    ++at_;
    settle();
  }

 private:
  void settle() {
    while (bucket_ != nullptr && at_ == bucket_->end()) {
      bucket_ = items_.next(bucket_);
      if (bucket_ != nullptr) at_ = bucket_->begin();
    }
  }
  const bucketed& items_;
  const map* bucket_;
  map::const_iterator at_;
};

const stored_item* item_store::find(std::string_view key) const {
  const item_place place = keys_.place(key);
  const map& bucket = items_.bucket_of(place.hash);
  const auto found = bucket.find(position_view{place.hash, place.sort, key});
  return found == bucket.end() ? nullptr : &found->second;
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
  map& bucket = items_.bucket_of(place.hash);
  const auto at = bucket.lower_bound(position_view{place.hash, place.sort, key});
  const bool there = at != bucket.end() && at->first.hash == place.hash && at->first.key == key;
  if (there && at->second.text == item.text) return {std::move(item), false};
  size_bytes_ += item.size - (there ? at->second.size : 0);
  if (!there) {
    bucket.emplace_hint(at, position{place.hash, std::move(place.sort), key}, std::move(item));
    items_.added();
    remember(key, std::nullopt, now);
    return {std::nullopt, true};
  }
  std::optional<stored_item> before = std::exchange(at->second, std::move(item));
  remember(key, before, now);
  return {std::move(before), true};
}

std::optional<stored_item> item_store::remove(const std::string& key, wall_time now) {
  const item_place place = keys_.place(key);
  map& bucket = items_.bucket_of(place.hash);
  const auto at = bucket.find(position_view{place.hash, place.sort, key});
  if (at == bucket.end()) return std::nullopt;
  size_bytes_ -= at->second.size;
  std::optional<stored_item> before = std::move(at->second);
  bucket.erase(at);
  items_.removed();
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
  bucketed past_items;
  for (const auto& [key, item] : past) {
    if (!item) continue;
    item_place place = keys_.place(key);
    past_items.bucket_of(place.hash).emplace(position{place.hash, std::move(place.sort), key}, *item);
    past_items.added();
  }
  const item_place place = after ? keys_.place(*after) : item_place{range.first, {}};
  const position_view start{place.hash, place.sort, after ? std::string_view(*after) : std::string_view()};
  cursor now(items_, start, after.has_value());
  cursor then(past_items, start, after.has_value());
  while (true) {
    while (!past.empty() && !now.done(range.last) && past.contains((*now).first.key)) ++now;
    const bool no_now = now.done(range.last);
    const bool no_then = then.done(range.last);
    if (no_now && no_then) return;
    cursor& next = no_now || (!no_then && before{}((*then).first, (*now).first)) ? then : now;
    if (!show((*next).first.key, (*next).second)) return;
    ++next;
  }
}

}  // namespace dynabackup::fakes
