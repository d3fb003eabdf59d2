#include <map>

#include "unit/fakes/dynamodb_fixture.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;

namespace {

struct streamed : dynamodb_fixture {
  std::string arn;

  explicit streamed(dynamodb_traits traits = {.stream_shards = 1}) : dynamodb_fixture(std::move(traits)) {
    db.create_table("t", {{"pk", 'S'}}, "NEW_AND_OLD_IMAGES");
    arn = text_member(ok("DescribeTable", R"({"TableName":"t"})"), "LatestStreamArn");
  }
  void put(int key, int n) { db.put("t", fmt::format(R"({{"pk":{{"S":"{}"}},"n":{{"N":"{}"}}}})", key, n)); }

  struct shard {
    std::string id;
    std::string parent;
    bool open = true;
  };
  std::vector<shard> shards() {
    std::vector<shard> result;
    std::string start;
    while (true) {
      const std::string told = stream("DescribeStream", fmt::format(R"({{"StreamArn":"{}","Limit":2{}}})", arn, start));
      for (std::size_t at = told.find("{\"ShardId\""); at != std::string::npos;) {
        const std::size_t next = told.find("{\"ShardId\"", at + 1);
        const std::string one = told.substr(at, next == std::string::npos ? next : next - at);
        result.push_back({text_member(one, "ShardId"), text_member(one, "ParentShardId"),
                          one.find("EndingSequenceNumber") == std::string::npos});
        at = next;
      }
      const std::string last = text_member(told, "LastEvaluatedShardId");
      if (last.empty()) return result;
      start = fmt::format(R"(,"ExclusiveStartShardId":"{}")", last);
    }
  }
  std::string iterator(const std::string& id, std::string_view type, std::string_view more = "") {
    return fmt::format(R"({{"StreamArn":"{}","ShardId":"{}","ShardIteratorType":"{}"{}}})", arn, id, type, more);
  }
  std::string start(const std::string& id, std::string_view type, std::string_view more = "") {
    return text_member(stream("GetShardIterator", iterator(id, type, more)), "ShardIterator");
  }
  std::string get(const std::string& at) {
    return stream("GetRecords", fmt::format(R"({{"ShardIterator":"{}"}})", at));
  }
  std::string get_refusal(const std::string& at) {
    return refusal("GetRecords", fmt::format(R"({{"ShardIterator":"{}"}})", at), "DynamoDBStreams_20120810");
  }
};

constexpr std::string_view record = "\"eventID\"";

}  // namespace

TEST_CASE("sequence numbers grow by a digit soon, so that no reader may compare them as text") {
  CHECK(sequence_number(0) == "999999999999999999990");
  CHECK(sequence_number(9) == "999999999999999999999");
  CHECK(sequence_number(10) == "1000000000000000000000");
  CHECK(sequence_number(1234) == "1000000000000000001224");
}

TEST_CASE("a record tells the change as the stream's view says, with its second") {
  streamed f;
  f.put(1, 1);
  f.put(1, 2);
  const std::string told = f.get(f.start(f.shards().at(0).id, "TRIM_HORIZON"));
  CHECK(occurrences(told, record) == 2);
  CHECK(told.find(R"("ApproximateCreationDateTime":1700000000,"Keys":{"pk":{"S":"1"}},)"
                  R"("NewImage":{"n":{"N":"2"},"pk":{"S":"1"}},"OldImage":{"n":{"N":"1"},"pk":{"S":"1"}},)"
                  R"("SequenceNumber":"999999999999999999991")") != std::string::npos);
}

TEST_CASE("a split closes shards, and every key's changes go on in a child of the shard they were in") {
  streamed f({.stream_shards = 2});
  for (int n = 0; n < 3; ++n) {
    for (int key = 0; key < 40; ++key) f.put(key, n);
    if (n < 2) f.db.split_shards("t");
  }
  const auto shards = f.shards();
  REQUIRE(shards.size() == 2 + 4 + 8);
  std::map<std::string, std::string> where;  // key → the shard its last change was in
  std::size_t records = 0;
  for (const auto& shard : shards) {  // parents come before their children
    CHECK(shard.open == (&shard - shards.data() >= 6));
    const std::string told = f.get(f.start(shard.id, "TRIM_HORIZON"));
    CHECK((told.find("NextShardIterator") != std::string::npos) == shard.open);
    for (std::size_t at = told.find("\"Keys\""); at != std::string::npos; at = told.find("\"Keys\"", at + 1)) {
      std::string& before = where[text_member(told.substr(at), "S")];
      CHECK(before == shard.parent);
      before = shard.id;
      ++records;
    }
  }
  CHECK(records == 120);
}

TEST_CASE("an iterator lives for 15 minutes") {
  streamed f;
  f.put(1, 1);
  const std::string at = f.start(f.shards().at(0).id, "TRIM_HORIZON");
  f.now += std::chrono::minutes(15);
  const std::string next = text_member(f.get(at), "NextShardIterator");
  f.now += std::chrono::milliseconds(1);
  CHECK(f.get_refusal(at) == "ExpiredIteratorException");
  CHECK(occurrences(f.get(next), record) == 0);
}

TEST_CASE("after 24 hours a record is gone, and who still wants it is told so") {
  streamed f;
  for (int n = 0; n < 3; ++n) f.put(1, n);
  const std::string shard = f.shards().at(0).id;
  const std::string first = fmt::format(R"(,"SequenceNumber":"{}")", sequence_number(0));
  f.now += std::chrono::hours(24) - std::chrono::minutes(1);
  f.put(1, 3);
  const std::string behind = f.start(shard, "AFTER_SEQUENCE_NUMBER", first);
  const std::string horizon = f.start(shard, "TRIM_HORIZON");
  const std::string last =
      f.start(shard, "AFTER_SEQUENCE_NUMBER", fmt::format(R"(,"SequenceNumber":"{}")", sequence_number(2)));
  f.now += std::chrono::minutes(2);
  CHECK(f.get_refusal(behind) == "TrimmedDataAccessException");
  CHECK(f.refusal("GetShardIterator", f.iterator(shard, "AT_SEQUENCE_NUMBER", first), "DynamoDBStreams_20120810") ==
        "TrimmedDataAccessException");
  CHECK(occurrences(f.get(horizon), record) == 1);
  CHECK(occurrences(f.get(last), record) == 1);
}

TEST_CASE("shards that ended more than 24 hours ago are no longer told") {
  streamed f;
  f.put(1, 1);
  f.db.split_shards("t");
  CHECK(f.shards().size() == 3);
  f.now += std::chrono::hours(25);
  const auto left = f.shards();
  CHECK(left.size() == 2);
  CHECK(left.at(0).open);
}

TEST_CASE("a page of records holds 1 MB at most and goes on behind it") {
  streamed f;
  for (int n = 0; n < 4; ++n) {
    f.db.put("t", fmt::format(R"({{"pk":{{"S":"{}"}},"d":{{"S":"{}"}}}})", n, std::string(390'000, 'x')));
  }
  const std::string page = f.get(f.start(f.shards().at(0).id, "TRIM_HORIZON"));
  CHECK(occurrences(page, record) == 2);
  CHECK(occurrences(f.get(text_member(page, "NextShardIterator")), record) == 2);
}

TEST_CASE("an iterator that was tampered with is refused") {
  streamed f;
  std::string at = f.start(f.shards().at(0).id, "LATEST");
  CHECK(f.get_refusal("") == "ValidationException");
  CHECK(f.get_refusal("fHx8fHw=") == "ValidationException");
  at[3] = at[3] == 'A' ? 'B' : 'A';
  CHECK(f.get_refusal(at) != "none");
}
