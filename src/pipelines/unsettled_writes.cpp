#include "pipelines/unsettled_writes.hpp"

#include <algorithm>
#include <utility>

#include "dynamodb/stream_records.hpp"

namespace dynabackup::pipelines {
namespace {

bool may_land_on(const unsettled_write& w, const key_state& state) {
  // The newest change once more, or one after it, makes nothing older.
  if (!state.sequence.empty() && !dynamodb::sequence_less(w.sequence, state.sequence)) return false;
  // Nobody probes whether a store keeps If-Match on a DELETE; over nothing it leaves nothing.
  if (w.remove) return state.there;
  // The same body put again has the ETag it had: what it was the condition of may still land (ABA). And
  // If-None-Match holds over a delete marker.
  if (w.if_none_match) return !state.there;
  if (!w.if_match.empty()) return state.there && state.etag == w.if_match;
  return true;
}

}  // namespace

void unsettled_writes::add(const std::string& object, unsettled_write w) {
  latest_ = std::max(latest_.value_or(w.until), w.until);
  by_object_[object].push_back(std::move(w));
}

std::optional<runtime::clock::steady_time> unsettled_writes::threat(const std::string& object,
                                                                    const key_state& state) const {
  std::optional<runtime::clock::steady_time> until;
  const auto found = by_object_.find(object);
  if (found == by_object_.end()) return until;
  for (const unsettled_write& w : found->second)
    if (w.until > state.asked_at && may_land_on(w, state)) until = std::max(until.value_or(w.until), w.until);
  return until;
}

void unsettled_writes::forget(runtime::clock::steady_time then) {
  for (auto entry = by_object_.begin(); entry != by_object_.end();) {
    std::erase_if(entry->second, [then](const unsettled_write& w) { return w.until <= then; });
    entry = entry->second.empty() ? by_object_.erase(entry) : std::next(entry);
  }
}

}  // namespace dynabackup::pipelines
