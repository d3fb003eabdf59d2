// key_table: a hash of keys, and their order on demand.
#include <algorithm>
#include <iterator>

#include "fakes/aws/s3_store.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

/// Up to so many new keys are put into their places one by one; more are merged.
constexpr std::size_t few = 32;

std::string_view key_of(const key_table::entry* e) { return e->key; }

}  // namespace

const chain* key_table::find(std::string_view key) const {
  const auto found = table_.find(looking_for(key));
  return found == table_.end() ? nullptr : &found->what->versions;
}

chain& key_table::make(std::string_view key) {
  const sought wanted = looking_for(key);
  const auto known = table_.find(wanted);
  if (known != table_.end()) return known->what->versions;
  const auto made = table_.insert({wanted.hash, std::make_unique<entry>(entry{std::string(key), {}})}).first;
  fresh_.push_back(made->what.get());
  return made->what->versions;
}

void key_table::erase(std::string_view key) {
  const auto found = table_.find(looking_for(key));
  if (found == table_.end()) return;
  put_in_order();
  ordered_.erase(lower_bound(ordered_, key));
  table_.erase(found);
}

const key_table::entries& key_table::ordered() const {
  put_in_order();
  return ordered_;
}

void key_table::put_in_order() const {
  if (fresh_.size() <= few) {
    for (const entry* const e : fresh_) ordered_.insert(lower_bound(ordered_, e->key), e);
  } else {
    std::ranges::sort(fresh_, {}, key_of);
    entries merged;
    merged.reserve(ordered_.size() + fresh_.size());
    std::ranges::merge(ordered_, fresh_, std::back_inserter(merged), {}, key_of, key_of);
    ordered_ = std::move(merged);
  }
  fresh_.clear();
}

key_table::place key_table::lower_bound(const entries& in, std::string_view key) {
  return std::ranges::lower_bound(in, key, {}, key_of);
}

key_table::place key_table::upper_bound(const entries& in, std::string_view key) {
  return std::ranges::upper_bound(in, key, {}, key_of);
}

}  // namespace dynabackup::fakes::s3_store
