#include "dynamodb/table_description.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

const std::string full_answer = R"({"Table":{
  "AttributeDefinitions":[{"AttributeName":"other","AttributeType":"S"},{"AttributeName":"when","AttributeType":"N"},
    {"AttributeName":"id","AttributeType":"B"}],
  "BillingModeSummary":{"BillingMode":"PAY_PER_REQUEST","LastUpdateToPayPerRequestDateTime":1.7E9},
  "CreationDateTime":1.700000000123E9,"ItemCount":12,"TableSizeBytes":3456,
  "KeySchema":[{"AttributeName":"when","KeyType":"RANGE"},{"AttributeName":"id","KeyType":"HASH"}],
  "LatestStreamArn":"arn:aws:dynamodb:eu-central-1:1:table/t/stream/2026","LatestStreamLabel":"2026",
  "GlobalSecondaryIndexes":[{"KeySchema":[{"AttributeName":"other","KeyType":"HASH"}]}],
  "StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"},
  "TableArn":"arn:aws:dynamodb:eu-central-1:1:table/t","TableId":"0000-1","TableName":"t","TableStatus":"ACTIVE"}})";

/// The full answer with one piece of text replaced.
std::string changed(std::string_view from, std::string_view to) {
  std::string text = full_answer;
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("a table is described") {
  const table_description t = read_table_description(full_answer);
  CHECK(t.name == "t");
  CHECK(t.arn == "arn:aws:dynamodb:eu-central-1:1:table/t");
  CHECK(t.id == "0000-1");
  CHECK(t.created == "1700000000.123");
  CHECK(t.status == "ACTIVE");
  CHECK(t.key == key_schema{{"id", 'B'}, {"when", 'N'}});
  CHECK(t.item_count == 12);
  CHECK(t.size_bytes == 3456);
  CHECK(t.on_demand);
  REQUIRE(t.stream);
  CHECK(t.stream->arn == "arn:aws:dynamodb:eu-central-1:1:table/t/stream/2026");
  CHECK(t.stream->label == "2026");
  CHECK(t.stream->view_type == "NEW_AND_OLD_IMAGES");
}

TEST_CASE("the answer of DynamoDB Local, which knows no TableId") {
  const table_description t = read_table_description(
      R"({"Table":{"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"TableName":"t","KeySchema":)"
      R"([{"AttributeName":"id","KeyType":"HASH"}],"TableStatus":"ACTIVE","CreationDateTime":1795348000,)"
      R"("ProvisionedThroughput":{"ReadCapacityUnits":1},"TableSizeBytes":0,"ItemCount":0,)"
      R"("TableArn":"arn:aws:dynamodb:ddblocal:000000000000:table/t","DeletionProtectionEnabled":false}})");
  CHECK(t.id.empty());
  CHECK(t.created == "1795348000");
  CHECK(t.key == key_schema{{"id", 'S'}});
  CHECK_FALSE(t.on_demand);
  CHECK_FALSE(t.stream);
}

TEST_CASE("a creation time has one spelling") {
  for (const std::string_view spelling : {"1.7000000005E9", "1700000000.5", "1700000000.500", "17000000005E-1"}) {
    CAPTURE(spelling);
    CHECK(read_table_description(changed("1.700000000123E9", spelling)).created == "1700000000.5");
  }
  CHECK(read_table_description(changed("1.700000000123E9", "1.7E9")).created == "1700000000");
  CHECK(read_table_description(changed("1.700000000123E9", "0")).created == "0");
}

TEST_CASE("only an enabled stream counts") {
  CHECK_FALSE(read_table_description(changed(R"("StreamEnabled":true)", R"("StreamEnabled":false)")).stream);
  CHECK_FALSE(read_table_description(changed(R"("StreamSpecification")", R"("Other")")).stream);
}

TEST_CASE("a table that is being deleted is described by little") {
  const table_description t = read_table_description(
      R"({"Table":{"TableName":"t","TableStatus":"DELETING","ItemCount":0,"TableSizeBytes":0}})");
  CHECK(t.status == "DELETING");
  CHECK(t.key.empty());
}

TEST_CASE("an answer that lacks or mistypes what we need is refused") {
  struct row {
    std::string_view from, to;
  };
  for (const row& r : {
           row{R"("Table":)", R"("Tables":)"},
           row{R"({"Table":{)", R"([{"Table":{)"},
           row{R"("TableName":"t")", R"("TableName":1)"},
           row{R"("TableName":"t",)", ""},
           row{R"("TableStatus")", R"("Status")"},
           row{R"("TableArn")", R"("Arn")"},
           row{R"("TableId":"0000-1")", R"("TableId":{})"},
           row{"1.700000000123E9", "\"1700000000\""},
           row{"1.700000000123E9", "-1"},
           row{"1.700000000123E9", "1e300"},
           row{R"("CreationDateTime")", R"("Created")"},
           row{R"("ItemCount":12)", R"("ItemCount":-12)"},
           row{R"("ItemCount":12)", R"("ItemCount":1.5)"},
           row{R"("TableSizeBytes":3456)", R"("TableSizeBytes":"3456")"},
           row{R"("KeySchema":[{"AttributeName":"when")", R"("Schema":[{"AttributeName":"when")"},
           row{R"("KeyType":"RANGE")", R"("KeyType":"HASH")"},
           row{R"("KeyType":"RANGE")", R"("KeyType":"SORT")"},
           row{R"({"AttributeName":"when","KeyType":"RANGE"})", R"("when")"},
           row{R"("AttributeType":"N")", R"("AttributeType":"M")"},
           row{R"({"AttributeName":"id","AttributeType":"B"})", R"({"AttributeName":"ID","AttributeType":"B"})"},
           row{R"(,{"AttributeName":"id","KeyType":"HASH"})", ""},
           row{R"("AttributeDefinitions":[)", R"("AttributeDefinitions":[7,)"},
           row{R"("StreamEnabled":true)", R"("StreamEnabled":"true")"},
           row{R"("LatestStreamArn")", R"("StreamArn")"},
           row{R"("BillingMode":"PAY_PER_REQUEST")", R"("BillingMode":1)"},
       }) {
    CAPTURE(r.from);
    CHECK_THROWS_AS(read_table_description(changed(r.from, r.to)), format_error);
  }
}

TEST_CASE("a description cut at any byte, or with more behind it, is refused") {
  for (std::size_t length = 0; length < full_answer.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(read_table_description(std::string_view(full_answer).substr(0, length)), format_error);
  }
  CHECK_THROWS_AS(read_table_description(full_answer + "x"), format_error);
}

}  // namespace
}  // namespace dynabackup::dynamodb
