#include "dynamodb/streams_client.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "dynamodb/client.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"

namespace dynabackup::dynamodb {
namespace {

using fakes::run_task;

const origin here{false, "127.0.0.1", 8000};

auto is_call(std::string target, std::string body) {
  return [target = std::move(target), body = std::move(body)](const request& r) {
    CHECK(r.method == "POST");
    CHECK(r.headers[1].value == target);
    CHECK(r.body == body);
  };
}

std::string refusal(const std::string& code) {
  return R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + code + R"(","message":"no"})";
}

}  // namespace

TEST_CASE("DescribeStream goes from page to page") {
  fakes::scripted_transport network;
  streams_client streams(network, here);
  network.expect(is_call("DynamoDBStreams_20120810.DescribeStream", R"({"StreamArn":"arn","Limit":100})"), 200,
                 R"({"StreamDescription":{"StreamStatus":"ENABLED","StreamViewType":"NEW_IMAGE","Shards":[
                    {"ShardId":"s-1","SequenceNumberRange":{"StartingSequenceNumber":"1","EndingSequenceNumber":"9"}},
                    {"ShardId":"s-2","ParentShardId":"s-1","SequenceNumberRange":{"StartingSequenceNumber":"10"}}],
                    "LastEvaluatedShardId":"s-2","NewMember":{}}})");
  const auto page = run_task(streams.describe_stream("arn", std::nullopt));
  REQUIRE(page);
  CHECK(page->status == "ENABLED");
  CHECK(page->view_type == "NEW_IMAGE");
  REQUIRE(page->shards.size() == 2);
  CHECK(page->shards[0].parent == "");
  CHECK(page->shards[1].parent == "s-1");
  CHECK(page->next == "s-2");
  network.expect(is_call("DynamoDBStreams_20120810.DescribeStream",
                         R"({"StreamArn":"arn","Limit":100,"ExclusiveStartShardId":"s-2"})"),
                 200, R"({"StreamDescription":{"StreamStatus":"DISABLED"}})");
  const auto last = run_task(streams.describe_stream("arn", "s-2"));
  CHECK(last->shards.empty());
  CHECK_FALSE(last->next);
}

TEST_CASE("a stream that is not there is no error, other refusals are") {
  fakes::scripted_transport network;
  streams_client streams(network, here);
  network.expect({}, 400, refusal("ResourceNotFoundException"));
  CHECK_FALSE(run_task(streams.describe_stream("arn", std::nullopt)));
  network.expect({}, 400, refusal("AccessDeniedException"));
  CHECK_THROWS_WITH_AS(run_task(streams.describe_stream("arn", std::nullopt)),
                       doctest::Contains("dynamodb:DescribeStream"), service_error);
}

TEST_CASE("an iterator begins behind what is recorded, or at the oldest record") {
  fakes::scripted_transport network;
  streams_client streams(network, here);
  network.expect(is_call("DynamoDBStreams_20120810.GetShardIterator",
                         R"({"StreamArn":"arn","ShardId":"s","ShardIteratorType":"TRIM_HORIZON"})"),
                 200, R"({"ShardIterator":"a\u003db"})");
  CHECK(run_task(streams.get_shard_iterator("arn", "s", std::nullopt)).iterator == "a=b");
  network.expect(
      is_call("DynamoDBStreams_20120810.GetShardIterator",
              R"({"StreamArn":"arn","ShardId":"s","ShardIteratorType":"AFTER_SEQUENCE_NUMBER","SequenceNumber":"42"})"),
      400, refusal("TrimmedDataAccessException"));
  CHECK(run_task(streams.get_shard_iterator("arn", "s", "42")).state == shard_state::trimmed);
  network.expect({}, 400, refusal("ResourceNotFoundException"));
  CHECK(run_task(streams.get_shard_iterator("arn", "s", "42")).state == shard_state::gone);
}

TEST_CASE("GetRecords tells records from an expired iterator and from trimmed data") {
  fakes::scripted_transport network;
  streams_client streams(network, here);
  network.expect(is_call("DynamoDBStreams_20120810.GetRecords", R"({"ShardIterator":"i","Limit":1000})"), 200,
                 R"({"Records":[],"NextShardIterator":"j"})");
  const records_answer some = run_task(streams.get_records("arn", "i", 1000, nullptr));
  CHECK(some.batch.records.empty());
  CHECK(some.batch.next_iterator == "j");
  network.expect({}, 400, refusal("ExpiredIteratorException"));
  CHECK(run_task(streams.get_records("arn", "i", 1000, nullptr)).state == shard_state::expired);
  network.expect({}, 400, refusal("TrimmedDataAccessException"));
  CHECK(run_task(streams.get_records("arn", "i", 1000, nullptr)).state == shard_state::trimmed);
  network.expect({}, 400, refusal("ValidationException"));
  CHECK_THROWS_AS(run_task(streams.get_records("arn", "i", 1000, nullptr)), service_error);
}

TEST_CASE("answers that are none are format errors") {
  for (const char* body : {"", "[]", "{}", R"({"StreamDescription":[]})", R"({"StreamDescription":{}})",
                           R"({"StreamDescription":{"StreamStatus":7}})",
                           R"({"StreamDescription":{"StreamStatus":"ENABLED","Shards":[1]}})",
                           R"({"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{}]}})",
                           R"({"StreamDescription":{"StreamStatus":"ENABLED","Shards":[{"ShardId":""}]}})"})
    CHECK_THROWS_AS(read_stream_page(body), format_error);
  for (const char* body : {"", "{}", R"({"ShardIterator":null})", R"({"ShardIterator":""})"})
    CHECK_THROWS_AS(read_shard_iterator(body), format_error);
}

TEST_CASE("a stream is switched on with new and old images") {
  fakes::scripted_transport network;
  client tables(network, here);
  network.expect(
      is_call(
          "DynamoDB_20120810.UpdateTable",
          R"({"TableName":"t","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}})"),
      200, "{}");
  run_task(tables.enable_stream("t"));
}

}  // namespace dynabackup::dynamodb
