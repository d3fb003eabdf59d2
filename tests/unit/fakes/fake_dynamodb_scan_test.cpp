#include <set>

#include "unit/fakes/dynamodb_fixture.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;

TEST_CASE("segments of a synthetic table are complete, disjoint and, put elsewhere, of the same digest") {
  dynamodb_fixture f;
  f.db.create_synthetic_table("big", 5000, 440);
  f.db.create_table("copy", {{"id", 'S'}}, "");
  for (int segment = 0; segment < 3; ++segment) {
    for (const std::string& item : f.scan("big", fmt::format(R"(,"TotalSegments":3,"Segment":{})", segment))) {
      f.db.put("copy", item);
    }
  }
  CHECK(f.db.items("copy").size() == 5000);
  CHECK(f.db.digest("copy") == f.db.digest("big"));
  CHECK(f.db.digest("big").starts_with("5000:"));
  f.db.put("copy", R"({"id":{"S":"item-00000000000000000007"}})");
  CHECK(f.db.items("copy").size() == 5000);
  CHECK(f.db.digest("copy") != f.db.digest("big"));
}

TEST_CASE("a synthetic table gives single items and takes no writes") {
  dynamodb_fixture f;
  f.db.create_synthetic_table("big", 10, 440);
  const std::string get = R"({"TableName":"big","Key":{"id":{"S":"item-0000000000000000000)";
  CHECK(f.ok("GetItem", get + "9\"}}}") == R"({"Item":)" + fake_dynamodb::synthetic_item(9, 440) + '}');
  CHECK(f.ok("GetItem", R"({"TableName":"big","Key":{"id":{"S":"other"}}})") == "{}");
  CHECK(f.ok("GetItem", R"({"TableName":"big","Key":{"id":{"S":"item-00000000000000000010"}}})") == "{}");
  CHECK(f.refusal("PutItem", R"({"TableName":"big","Item":{"id":{"S":"x"}}})") == "ValidationException");
}

TEST_CASE("a stored table's pages are complete for any number of segments") {
  dynamodb_fixture f({.page_items = 7});
  f.db.create_table("t", {{"pk", 'S'}, {"sk", 'N'}}, "");
  for (int i = 0; i < 500; ++i) {
    f.db.put("t", fmt::format(R"({{"sk":{{"N":"{}"}},"pk":{{"S":"group-{}"}}}})", i - 250, i % 40));
  }
  for (const int total : {1, 3, 8, 1000}) {
    std::set<std::string> seen;
    for (int segment = 0; segment < total; ++segment) {
      for (const std::string& item : f.scan("t", fmt::format(R"(,"TotalSegments":{},"Segment":{})", total, segment))) {
        CHECK(seen.insert(item).second);
      }
    }
    CHECK(seen.size() == 500);
  }
}

TEST_CASE("a page ends with the item that reaches its size, and a full last page promises more") {
  dynamodb_fixture f({.page_bytes = 100});
  f.db.create_table("t", {{"pk", 'S'}}, "");
  for (int i = 0; i < 4; ++i) {
    f.db.put("t", fmt::format(R"({{"pk":{{"S":"{}"}},"d":{{"S":"{}"}}}})", i, std::string(46, 'x')));  // 50 bytes
  }
  const std::string first = f.ok("Scan", R"({"TableName":"t","ReturnConsumedCapacity":"TOTAL"})");
  CHECK(occurrences(first, "\"d\":") == 2);
  CHECK(first.find(R"("ConsumedCapacity":{"TableName":"t","CapacityUnits":0.5})") != std::string::npos);
  const std::string key = first.substr(first.find(R"("LastEvaluatedKey":)") + 19, 16);
  const std::string second = f.ok("Scan", R"({"TableName":"t","ExclusiveStartKey":)" + key + "}");
  CHECK(occurrences(second, "\"d\":") == 2);
  CHECK(second.find("LastEvaluatedKey") != std::string::npos);
}

TEST_CASE("a read that may be stale shows the past, a consistent one the present") {
  double behind = 0.999;
  dynamodb_fixture f({.page_items = 2, .staleness = std::chrono::seconds(10), .random = [&] { return behind; }});
  f.db.create_table("t", {{"pk", 'S'}}, "");
  for (const char key : {'a', 'b', 'c'}) f.db.put("t", fmt::format(R"({{"pk":{{"S":"{}"}}}})", key));
  f.now += std::chrono::seconds(60);
  f.db.put("t", R"({"pk":{"S":"a"},"n":{"N":"1"}})");
  f.db.put("t", R"({"pk":{"S":"d"}})");
  CHECK(f.db.remove("t", R"({"pk":{"S":"b"}})"));
  const auto sorted = [&](std::string_view more) {
    const auto items = f.scan("t", more);
    return std::set<std::string>(items.begin(), items.end());
  };
  const std::set<std::string> before{R"({"pk":{"S":"a"}})", R"({"pk":{"S":"b"}})", R"({"pk":{"S":"c"}})"};
  const std::set<std::string> after{R"({"n":{"N":"1"},"pk":{"S":"a"}})", R"({"pk":{"S":"c"}})", R"({"pk":{"S":"d"}})"};
  CHECK(sorted("") == before);
  CHECK(sorted(R"(,"ConsistentRead":true)") == after);
  const std::string get = R"({"TableName":"t","Key":{"pk":{"S":"b"}})";
  CHECK(f.ok("GetItem", get + "}") == R"({"Item":{"pk":{"S":"b"}}})");
  CHECK(f.ok("GetItem", get + R"(,"ConsistentRead":true})") == "{}");
  f.now += std::chrono::seconds(4);
  CHECK(sorted("") == before);
  behind = 0.1;
  CHECK(sorted("") == after);
  behind = 0.999;
  f.now += std::chrono::seconds(10);
  CHECK(sorted("") == after);
}

TEST_CASE("every answer carries the checksum of its body, errors too") {
  dynamodb_fixture f;
  for (const auto& r : {f.call("ListTables", "{}"), f.call("Scan", R"({"TableName":"none"})"), f.call("No", "{}")}) {
    CHECK(!r.header_value("x-amz-crc32").empty());
    CHECK(r.header_value("Date") == "Tue, 14 Nov 2023 22:13:20 GMT");
    CHECK(!r.header_value("x-amzn-RequestId").empty());
    CHECK(r.body.capacity() >= r.body.size() + response::body_padding);
  }
  CHECK(f.call("ListTables", "{}").header_value("x-amz-crc32") == "1315925753");
}
