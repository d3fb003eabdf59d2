// The DynamoDB Streams calls we make (JSON 1.0, API version 2012-08-10). What a reader must decide on comes back as a
// value: an iterator that expired, records that were trimmed, a shard or stream that is gone. The rest is a
// service_error.
#pragma once
#include <optional>
#include <string>

#include "dynabackup/byte_budget.hpp"
#include "dynamodb/json_call.hpp"
#include "dynamodb/stream_description.hpp"
#include "dynamodb/stream_records.hpp"

namespace dynabackup::dynamodb {

enum class shard_state {
  readable,
  expired,  ///< the iterator is older than 15 minutes: ask for another
  trimmed,  ///< what was asked for is older than a day and is not kept any more
  gone      ///< the shard is not there any more, or its stream
};

struct iterator_answer {
  shard_state state = shard_state::readable;
  std::string iterator{};
};

struct records_answer {
  shard_state state = shard_state::readable;
  stream_records batch{};
  byte_budget::charge charge{};  ///< of the batch's document
};

class streams_client {
 public:
  /// `network`: the signed, retried stack; `at`: where the service is (its base path is kept).
  streams_client(transport& network, origin at, std::string base_path = {});

  /// At most 100 shards, behind the shard `start`. nullopt: there is no such stream.
  task<std::optional<stream_page>> describe_stream(std::string stream_arn, std::optional<std::string> start);
  /// Behind the record `after` of a shard; nullopt: from its oldest record on (TRIM_HORIZON).
  task<iterator_answer> get_shard_iterator(std::string stream_arn, std::string shard, std::optional<std::string> after);
  /// At most `limit` records (1…1000) and a megabyte, charged to `budget` before they are read. No next iterator: the
  /// shard has ended, and these are its last.
  task<records_answer> get_records(std::string stream_arn, std::string iterator, std::size_t limit,
                                   byte_budget* budget);

 private:
  json_service service_;
};

}  // namespace dynabackup::dynamodb
