#include "dynamodb/table_description.hpp"
#include "dynamodb/write_batch.hpp"
#include "unit/fakes/dynamodb_fixture.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;

namespace {

std::string put(std::string_view id) { return fmt::format(R"({{"PutRequest":{{"Item":{{"id":{{"S":"{}"}}}}}}}})", id); }
std::string batch(std::string_view requests) { return fmt::format(R"({{"RequestItems":{{"t":[{}]}}}})", requests); }

}  // namespace

TEST_CASE("a created table is described as the product reads it, first as CREATING") {
  dynamodb_fixture f({.creation_time = std::chrono::seconds(5)});
  f.ok("CreateTable", R"({"TableName":"users","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],)"
                      R"("KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",)"
                      R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}})");
  const auto describe = [&] {
    return dynamodb::read_table_description(f.ok("DescribeTable", R"({"TableName":"users"})"));
  };
  CHECK(describe().status == "CREATING");
  CHECK(f.refusal("Scan", R"({"TableName":"users"})") == "ResourceNotFoundException");
  f.now += std::chrono::seconds(5);
  const auto d = describe();
  CHECK(d.status == "ACTIVE");
  CHECK(d.name == "users");
  CHECK(d.created == "1700000000.123");
  CHECK(d.on_demand);
  CHECK(d.key == dynamodb::key_schema{{"id", 'S'}});
  REQUIRE(d.stream);
  CHECK(d.stream->label == "2023-11-14T22:13:20.123");
  CHECK(f.ok("Scan", fmt::format(R"({{"TableName":"{}"}})", d.arn)) == R"({"Items":[],"Count":0,"ScannedCount":0})");
}

TEST_CASE("a batch is refused whole, or done and the rest comes back as it was sent") {
  dynamodb_fixture f;
  f.db.create_table("t", {{"id", 'S'}}, "");
  CHECK(f.refusal("BatchWriteItem", batch(put("a") + ',' + put("a"))) == "ValidationException");
  CHECK(f.db.items("t").empty());

  std::size_t done = 1;
  f.db.traits().processed = [&](std::size_t) { return done; };
  const std::string answer = f.ok("BatchWriteItem", batch(put("a") + ',' + put("b")));
  CHECK(answer == R"({"UnprocessedItems":{"t":[)" + put("b") + "]}}");
  CHECK(f.db.items("t").size() == 1);
  CHECK(dynamodb::read_write_outcome(answer).unprocessed_items == 1);

  done = 0;
  CHECK(f.refusal("BatchWriteItem", batch(put("b"))) == "ProvisionedThroughputExceededException");
  f.db.traits().none_processed_is_throttled = false;
  CHECK(f.ok("BatchWriteItem", batch(put("b"))) == R"({"UnprocessedItems":{"t":[)" + put("b") + "]}}");
  CHECK(f.db.items("t").size() == 1);
}

TEST_CASE("puts of what is there already are counted and change nothing") {
  dynamodb_fixture f;
  f.db.create_table("t", {{"id", 'S'}}, "NEW_IMAGE");
  std::vector<table_change> seen;
  f.db.on_change("t", [&](const table_change& c) { seen.push_back(c); });
  f.ok("BatchWriteItem", batch(put("a") + ',' + put("b")));
  f.ok("BatchWriteItem", batch(put("a")));
  f.db.put("t", R"({"id":{"S":"a"},"n":{"N":"1"}})");
  f.db.put("t", R"({"n":{"N":"1.0"},"id":{"S":"a"}})");
  CHECK(f.db.remove("t", R"({"id":{"S":"b"}})"));
  CHECK(!f.db.remove("t", R"({"id":{"S":"b"}})"));
  REQUIRE(seen.size() == 4);
  CHECK(!seen[0].before);
  CHECK(seen[2].before == R"({"id":{"S":"a"}})");
  CHECK(seen[2].after == R"({"id":{"S":"a"},"n":{"N":"1"}})");
  CHECK(!seen[3].after);
  CHECK(seen[3].key == R"({"id":{"S":"b"}})");
  CHECK(f.db.statistics() ==
        R"({"tables":{"t":{"items":1,"puts":5,"written_again":2,"deletes":2,"changes":4,"read_units":0.0,)"
        R"("write_units":3.0}},"requests":{"BatchWriteItem":2}})");
}

TEST_CASE("a hook may write to the table it watches") {
  dynamodb_fixture f;
  f.db.create_table("t", {{"id", 'S'}}, "");
  f.db.on_change("t", [&](const table_change& c) {
    if (c.key.find("\"a\"") != std::string::npos) f.db.put("t", R"({"id":{"S":"z"}})");
  });
  f.ok("BatchWriteItem", batch(put("a") + ',' + put("b")));
  CHECK(f.db.items("t").size() == 3);
}

TEST_CASE("what a hostile request gets is an error, never more") {
  dynamodb_fixture f;
  f.db.create_table("t", {{"id", 'S'}}, "");
  for (const std::string_view body :
       {"", "{", "[]", "null", "{\"TableName\":}", "{\"TableName\":5}", "{\"TableName\":\"t\",\"Item\":5}",
        "{\"TableName\":\"t\",\"Item\":{\"id\":{\"S\":\"\\ud800\"}}}", "{\"TableName\":\"t\",\"Item\":{\"id\":{}}}",
        "{\"TableName\":\"t\",\"Item\":{\"id\":{\"S\":\"a\"}}} x", "{\"TableName\":\"\\u12\",\"Item\":{}}",
        "{\"TableName\":\"t\",\"Item\":{\"id\":{\"S\":\"a\"}},\"Unknown\":1}"}) {
    for (const std::string_view operation : {"PutItem", "CreateTable", "BatchWriteItem", "BatchGetItem"}) {
      const response r = f.call(operation, std::string(body));
      CHECK_MESSAGE(r.status == 400, fmt::format("{} {}: {}", operation, body, r.body));
    }
  }
  CHECK(f.call("PutItem", std::string((std::size_t{16} << 20) + 1, ' ')).status == 413);
  CHECK(f.refusal("PutItem", R"({"TableName":"t","Item":{"id":{"S":"a"},"v":)" + std::string(100000, '[') + "}}") ==
        "SerializationException");
  CHECK(f.db.items("t").empty());
}

TEST_CASE("a protected table stays, a deleted one is gone with its items") {
  dynamodb_fixture f;
  f.db.create_table("t", {{"id", 'S'}}, "");
  f.db.put("t", R"({"id":{"S":"a"}})");
  f.ok("UpdateTable", R"({"TableName":"t","DeletionProtectionEnabled":true})");
  CHECK(f.refusal("DeleteTable", R"({"TableName":"t"})") == "ValidationException");
  f.ok("UpdateTable", R"({"TableName":"t","DeletionProtectionEnabled":false})");
  const std::string id = text_member(f.ok("DescribeTable", R"({"TableName":"t"})"), "TableId");
  f.ok("DeleteTable", R"({"TableName":"t"})");
  CHECK(f.refusal("DescribeTable", R"({"TableName":"t"})") == "ResourceNotFoundException");
  f.db.create_table("t", {{"id", 'S'}}, "");
  CHECK(f.db.items("t").empty());
  CHECK(text_member(f.ok("DescribeTable", R"({"TableName":"t"})"), "TableId") != id);
}
