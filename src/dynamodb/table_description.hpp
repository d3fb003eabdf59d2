// What DescribeTable says of a table, as far as a backup needs it. The answer is open: unknown members are ignored.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::dynamodb {

struct key_attribute {
  std::string name;
  char type = 'S';  ///< 'S', 'N' or 'B'
  bool operator==(const key_attribute&) const = default;
};
/// Partition key first, then the sort key if there is one.
using key_schema = std::vector<key_attribute>;

struct stream_description {
  std::string arn;
  std::string label;
  std::string view_type;  ///< NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY
};

struct table_description {
  std::string name;
  std::string arn;
  std::string id;                ///< empty where the service gives none (DynamoDB Local)
  std::string created;           ///< CreationDateTime, epoch seconds in plain decimal, as text
  std::string status;            ///< ACTIVE, …
  key_schema key;                ///< like arn and created empty where a table in status DELETING has none
  std::uint64_t item_count = 0;  ///< an estimate, about 6 hours old
  std::uint64_t size_bytes = 0;  ///< likewise
  bool on_demand = false;
  std::optional<stream_description> stream;  ///< the enabled one
  std::string latest_stream_arn;             ///< also of one that was disabled; empty: there never was one
};

/// format_error when members we need are missing or mistyped.
table_description read_table_description(std::string_view body);

}  // namespace dynabackup::dynamodb
