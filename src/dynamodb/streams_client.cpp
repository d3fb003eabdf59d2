#include "dynamodb/streams_client.hpp"

#include <fmt/format.h>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

/// As a page of a Scan: one megabyte of items may be far more as JSON.
constexpr std::size_t max_records_bytes = std::size_t{64} << 20;

/// What a refusal says about the shard; service_error for any other.
shard_state judged(const service_error& e) {
  const std::string& code = e.failure.code;
  if (code == "ExpiredIteratorException") return shard_state::expired;
  if (code == "TrimmedDataAccessException") return shard_state::trimmed;
  if (code == "ResourceNotFoundException") return shard_state::gone;
  throw e;
}

}  // namespace

streams_client::streams_client(transport& network, origin at, std::string base_path)
    : service_{network, std::move(at), base_path.empty() ? "/" : std::move(base_path), "DynamoDBStreams_20120810"} {}

task<std::optional<stream_page>> streams_client::describe_stream(std::string stream_arn,
                                                                 std::optional<std::string> start) {
  std::string body = fmt::format(R"({{"StreamArn":{},"Limit":100)", json_text(stream_arn));
  if (start) body += R"(,"ExclusiveStartShardId":)" + json_text(*start);
  body += '}';
  response answer;
  try {
    answer = co_await send_call(service_, {"DescribeStream", stream_arn, std::move(body)});
  } catch (const service_error& e) {
    if (judged(e) == shard_state::gone) co_return std::nullopt;
    throw;
  }
  co_return read_stream_page(answer.body);
}

task<iterator_answer> streams_client::get_shard_iterator(std::string stream_arn, std::string shard,
                                                         std::optional<std::string> after) {
  std::string body = fmt::format(R"({{"StreamArn":{},"ShardId":{},"ShardIteratorType":"{}")", json_text(stream_arn),
                                 json_text(shard), after ? "AFTER_SEQUENCE_NUMBER" : "TRIM_HORIZON");
  if (after) body += R"(,"SequenceNumber":)" + json_text(*after);
  body += '}';
  response answer;
  try {
    answer = co_await send_call(service_, {"GetShardIterator", stream_arn, std::move(body)});
  } catch (const service_error& e) {
    co_return iterator_answer{judged(e)};
  }
  co_return iterator_answer{shard_state::readable, read_shard_iterator(answer.body)};
}

task<records_answer> streams_client::get_records(std::string stream_arn, std::string iterator, std::size_t limit,
                                                 byte_budget* budget) {
  json_call call{"GetRecords", std::move(stream_arn),
                 fmt::format(R"({{"ShardIterator":{},"Limit":{}}})", json_text(iterator), limit), budget,
                 max_records_bytes};
  response answer;
  try {
    answer = co_await send_call(service_, std::move(call));
  } catch (const service_error& e) {
    co_return records_answer{judged(e)};
  }
  co_return records_answer{shard_state::readable, read_get_records(std::move(answer.body)), std::move(answer.charge)};
}

}  // namespace dynabackup::dynamodb
