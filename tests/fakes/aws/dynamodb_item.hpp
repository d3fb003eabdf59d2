// What DynamoDB knows of an item besides its text: its size as AWS counts it, the hash that says which partition it is
// in, and its place among the items of that partition. All from canonical JSON, so no byte is checked twice. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "dynamodb/table_description.hpp"

namespace dynabackup::fakes {

/// Bytes of a canonical item as AWS counts them: names, values, three bytes a map or list and one for each of its
/// elements, a number half a byte a digit and one.
std::size_t item_size(std::string_view canonical_item);

/// Read and write units (aws-protocol.md 2.8) of so many bytes.
double read_units(std::size_t bytes, bool consistent);
double write_units(std::size_t bytes);

/// What a string in canonical spelling, without its quotes, stands for.
std::string unescaped(std::string_view spelled);
/// The inverse, with quotes.
std::string json_string(std::string_view text);

struct item_place {
  std::uint64_t hash = 0;  ///< of the partition key; items are scanned in this order
  std::string sort;        ///< the sort key, spelled so that bytes compare as DynamoDB compares the values
};

/// The attributes of a canonical key, by the order of the schema.
class key_reader {
 public:
  explicit key_reader(const dynamodb::key_schema& schema);
  [[nodiscard]] item_place place(std::string_view canonical_key) const;
  /// Bytes of the value of key attribute `i`, for the limits on keys.
  [[nodiscard]] std::size_t value_bytes(std::string_view canonical_key, std::size_t i) const;

 private:
  [[nodiscard]] std::string_view value(std::string_view canonical_key, std::size_t i) const;
  dynamodb::key_schema schema_;
};

}  // namespace dynabackup::fakes
