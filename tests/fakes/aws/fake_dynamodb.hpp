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
  /// In [0, 1): how much of `staleness` this read is behind; unset: all of it.
  std::function<double()> random = {};
  /// How many of a BatchWriteItem's requests are done before the rest comes back as UnprocessedItems; by default all.
  std::function<std::size_t(std::size_t requests)> processed = {};
  /// When none was processed: ProvisionedThroughputExceededException as AWS documents; false: 200, all unprocessed.
  bool none_processed_is_throttled = true;
  std::size_t max_item_bytes = 409'600;        ///< larger items are a ValidationException
  std::chrono::milliseconds creation_time{0};  ///< how long a new table is CREATING
  std::size_t stream_shards = 2;               ///< of a new stream
  std::string region = "us-east-1";
};

/// One change of a table, as its stream tells it.
struct table_change {
  wall_time at{};
  std::uint64_t sequence = 0;         ///< its order; `sequence_number` spells it as the stream does
  std::string key;                    ///< canonical key
  std::optional<std::string> before;  ///< canonical item
  std::optional<std::string> after;
};

/// The sequence number of the n-th change of a table: 21 digits or more, and soon one more than before.
std::string sequence_number(std::uint64_t n);

struct dynamodb_state;

class fake_dynamodb {
 public:
  explicit fake_dynamodb(std::function<wall_time()> now, dynamodb_traits traits = {});
  ~fake_dynamodb();
  fake_dynamodb(fake_dynamodb&&) noexcept;
  fake_dynamodb& operator=(fake_dynamodb&&) noexcept;

  /// POST / with X-Amz-Target, both DynamoDB_20120810 and DynamoDBStreams_20120810. Never throws.
  response handle(const request& r);

  // What a test arranges and looks at without HTTP. A table that is not there is a std::out_of_range.

  /// `stream_view_type`: NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY, or empty for no stream.
  void create_table(const std::string& name, const dynamodb::key_schema& key, const std::string& stream_view_type);
  /// A table whose items 0 … count-1 are made up on the spot, about `item_bytes` long, and never stored. Its key is
  /// "id" (S). Writes to it are refused.
  void create_synthetic_table(const std::string& name, std::uint64_t count, std::size_t item_bytes);
  /// PutItem as an application would; `item` is DynamoDB JSON.
  void put(const std::string& table, const std::string& item);
  /// DeleteItem by canonical key; false: it was not there.
  bool remove(const std::string& table, const std::string& key);
  /// canonical key → canonical item, now; the reference is good until the next call. Of a synthetic table nothing.
  [[nodiscard]] const std::map<std::string, std::string>& items(const std::string& table) const;
  /// Called after each change with effect.
  void on_change(const std::string& table, std::function<void(const table_change&)> hook);
  /// Closes the open shards of a table's stream and opens two children each.
  void split_shards(const std::string& table);
  /// The traits from now on.
  dynamodb_traits& traits();

  /// The i-th item of a synthetic table as DynamoDB JSON, as a Scan gives it.
  static std::string synthetic_item(std::uint64_t i, std::size_t item_bytes);
  /// How many items, and the sum of their SHA-256s' first halves: the same for the same items in any order. Of a
  /// synthetic table it is computed without storing anything.
  [[nodiscard]] std::string digest(const std::string& table) const;
  /// {"tables":{"t":{"items":…,"puts":…,"written_again":…,…}},"requests":{"Scan":…}}
  [[nodiscard]] std::string statistics() const;

 private:
  std::unique_ptr<dynamodb_state> state_;
};

}  // namespace dynabackup::fakes
