// DynamoDB and DynamoDB Streams in memory, with AWS's semantics: key order within a partition, pages, limits,
// UnprocessedItems, conditions, streams of shards. One request in, its effect and its answer out.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dynabackup/http.hpp"
#include "dynamodb/table_description.hpp"
#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes {

struct dynamodb_traits {
  std::size_t page_bytes = std::size_t{1} << 20;  ///< Scan reads at most this much a page
  std::size_t page_items = 0;                     ///< and at most so many items; 0 = no such limit
  std::chrono::milliseconds staleness{0};         ///< how far behind an eventually consistent read may be
  /// How many of a BatchWriteItem's requests are done before the rest comes back as UnprocessedItems; by default all.
  std::function<std::size_t(std::size_t requests)> processed;
};

/// One change of a table, as its stream tells it.
struct table_change {
  wall_time at{};
  std::uint64_t sequence = 0;
  std::string key;                    ///< canonical key
  std::optional<std::string> before;  ///< canonical item
  std::optional<std::string> after;
};

class fake_dynamodb {
 public:
  explicit fake_dynamodb(std::function<wall_time()> now, dynamodb_traits traits = {});
  ~fake_dynamodb();

  /// POST / with X-Amz-Target, both DynamoDB_20120810 and DynamoDBStreams_20120810. Never throws.
  response handle(const request& r);

  // What a test arranges and looks at without HTTP.
  void create_table(const std::string& name, const dynamodb::key_schema& key, const std::string& stream_view_type);
  /// A table whose items 0 … count-1 are made up on the spot, about `item_bytes` long, and never stored. Writes to it
  /// are refused.
  void create_synthetic_table(const std::string& name, std::uint64_t count, std::size_t item_bytes);
  /// PutItem as an application would; `item` is DynamoDB JSON.
  void put(const std::string& table, const std::string& item);
  /// DeleteItem by canonical key; false: it was not there.
  bool remove(const std::string& table, const std::string& key);
  /// canonical key → canonical item.
  [[nodiscard]] const std::map<std::string, std::string>& items(const std::string& table) const;
  /// Called after each change with effect.
  void on_change(const std::string& table, std::function<void(const table_change&)> hook);
  /// The i-th item of a synthetic table as DynamoDB JSON.
  static std::string synthetic_item(std::uint64_t i, std::size_t item_bytes);
  /// Closes the open shards of a table's stream and opens two children each.
  void split_shards(const std::string& table);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::fakes
