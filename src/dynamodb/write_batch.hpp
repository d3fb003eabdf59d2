// A BatchWriteItem body under construction: at most 25 puts to one table, distinct keys, bounded bytes. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::dynamodb {

class write_batch {
 public:
  static constexpr std::size_t max_items = 25;
  static constexpr std::size_t max_bytes = std::size_t{16} << 20;  ///< BatchWriteItem's request limit

  /// `soft_limit_bytes`: a batch that has an item takes no other that would carry it over this (bounded memory).
  explicit write_batch(std::string_view table, std::size_t soft_limit_bytes = std::size_t{2} << 20);

  /// True for any item while the batch is empty: what is too large for DynamoDB is for DynamoDB to say.
  [[nodiscard]] bool fits(std::size_t item_bytes) const;
  /// Appends one put. `item` is an item in canonical DynamoDB JSON and goes into the body as it is; `tag` is the
  /// caller's name for it (a line number).
  void add(std::string_view item, std::uint64_t tag);
  /// Replaces the i-th item (a later line of the same key wins). May carry the batch over its limits.
  void replace(std::size_t i, std::string_view item, std::uint64_t tag);

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t bytes() const { return puts_.size(); }
  [[nodiscard]] std::string_view item(std::size_t i) const;
  [[nodiscard]] std::uint64_t tag(std::size_t i) const { return entries_[i].tag; }
  [[nodiscard]] const std::string& table() const { return table_; }
  /// Splits off the second half: how a refused item is found. Of a single item the half is empty.
  write_batch split();

  /// {"RequestItems":{"T":[{"PutRequest":{"Item":…}},…]},"ReturnConsumedCapacity":"TOTAL"}
  [[nodiscard]] std::string body() const;

 private:
  struct entry {
    std::size_t offset, length;  ///< of the item in puts_
    std::uint64_t tag;
  };
  std::string table_;
  std::size_t soft_limit_;
  std::string puts_;  ///< the requests as they stand in the body, commas between them
  std::vector<entry> entries_;
};

/// What a BatchWriteItem answer left over.
struct write_outcome {
  /// The body of the next BatchWriteItem: the answer's UnprocessedItems unchanged; empty = everything was written.
  std::string unprocessed;
  std::size_t unprocessed_items = 0;
  double consumed_capacity = 0;  ///< 0 where the service does not say
  bool unsettled = false;        ///< response::unsettled: these puts may take effect once more
};
/// format_error on anything but a BatchWriteItem answer: a success is never guessed.
write_outcome read_write_outcome(std::string_view body);

}  // namespace dynabackup::dynamodb
