#include "fakes/aws/dynamodb_stream.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace dynabackup::fakes {
namespace {

/// Part `i` of `count` of a range.
hash_range part(hash_range whole, std::uint64_t i, std::uint64_t count) {
  const std::uint64_t step = (whole.last - whole.first) / count + 1;
  const std::uint64_t first = whole.first + step * i;
  return {first, i + 1 == count ? whole.last : first + step - 1};
}

}  // namespace

std::string sequence_number(std::uint64_t n) {
  if (n < 10) return fmt::format("99999999999999999999{}", n);
  return fmt::format("1{:021}", n - 10);
}

void change_stream::add_shard(hash_range range, std::uint64_t first, const std::string& parent) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(created.time_since_epoch()).count();
  stream_shard s;
  s.id = fmt::format("shardId-{:020}-{:08x}", since + static_cast<std::int64_t>(made_),
                     static_cast<std::uint32_t>((made_ + 1) * 2654435761U));
  ++made_;
  s.parent = parent;
  s.range = range;
  s.first = first;
  s.trimmed_to = first;
  shards.push_back(std::move(s));
}

void change_stream::open(std::size_t count, std::uint64_t next) {
  for (std::size_t i = 0; i < count; ++i) add_shard(part({}, i, count), next, {});
}

void change_stream::append(table_change change, std::uint64_t hash) {
  const auto takes_it = [&](const stream_shard& s) { return !s.last && s.range.first <= hash && hash <= s.range.last; };
  const auto shard = std::find_if(shards.begin(), shards.end(), takes_it);
  if (shard != shards.end()) shard->records.push_back(std::move(change));
}

void change_stream::close(std::uint64_t next, wall_time now, std::size_t children) {
  const std::size_t known = shards.size();
  for (std::size_t i = 0; i < known; ++i) {
    if (shards[i].last) continue;
    shards[i].last = next;
    shards[i].closed_at = now;
    for (std::size_t c = 0; c < children; ++c) {
      const stream_shard& parent = shards[i];
      add_shard(part(parent.range, c, children), next + 1, std::string(parent.id));
    }
  }
}

void change_stream::trim(wall_time now) {
  const wall_time horizon = now - retention;
  for (stream_shard& s : shards) {
    while (!s.records.empty() && s.records.front().at < horizon) {
      s.trimmed_to = s.records.front().sequence + 1;
      s.records.pop_front();
    }
  }
  std::erase_if(shards, [&](const stream_shard& s) { return s.last && s.closed_at < horizon; });
}

}  // namespace dynabackup::fakes
