// What DescribeStream says of a stream, page by page: its state and its shards. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::dynamodb {

struct stream_shard {
  std::string id;
  std::string parent;  ///< empty: it has none
};

struct stream_page {
  std::string status;     ///< ENABLING, ENABLED, DISABLING, DISABLED
  std::string view_type;  ///< NEW_IMAGE, OLD_IMAGE, NEW_AND_OLD_IMAGES, KEYS_ONLY
  std::vector<stream_shard> shards;
  std::optional<std::string> next;  ///< LastEvaluatedShardId
};

/// format_error when members we need are missing or mistyped.
stream_page read_stream_page(std::string_view body);

/// {"ShardIterator":"…"}
std::string read_shard_iterator(std::string_view body);

}  // namespace dynabackup::dynamodb
