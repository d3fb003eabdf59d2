// One stream of a table: its shards with their ranges of hashes and their records, 24 hours of them.
#pragma once
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "dynamodb/table_description.hpp"
#include "fakes/aws/dynamodb_items.hpp"
#include "fakes/aws/fake_dynamodb.hpp"

namespace dynabackup::fakes {

struct stream_shard {
  std::string id;
  std::string parent;  ///< empty: none
  hash_range range;
  std::uint64_t first = 0;            ///< its lowest sequence
  std::optional<std::uint64_t> last;  ///< closed: its highest
  wall_time closed_at{};
  std::deque<table_change> records;
  std::uint64_t trimmed_to = 0;  ///< records below this sequence are gone
};

struct change_stream {
  std::string arn;
  std::string label;
  std::string table;
  std::string view_type;
  dynamodb::key_schema key;
  wall_time created{};
  bool enabled = true;
  std::vector<stream_shard> shards;

  static constexpr std::chrono::hours retention{24};

  void open(std::size_t count, std::uint64_t next);
  void append(table_change change, std::uint64_t hash);
  /// Ends the open shards with `next`, a sequence no record has; `children` of each begin behind it.
  void close(std::uint64_t next, wall_time now, std::size_t children);
  /// Drops what is older than a day: records, and shards that have ended.
  void trim(wall_time now);

 private:
  void add_shard(hash_range range, std::uint64_t first, const std::string& parent);
  std::uint64_t made_ = 0;
};

}  // namespace dynabackup::fakes
