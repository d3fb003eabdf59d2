#include "fakes/aws/fake_dynamodb.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <set>

#include "archive/canonical_json.hpp"
#include "crypto/crc32.hpp"
#include "dynamodb/scan_page.hpp"
#include "dynamodb/table_description.hpp"
#include "dynamodb/write_batch.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;

namespace {

struct bench {
  wall_time now{std::chrono::milliseconds(1'700'000'000'123)};
  fake_dynamodb db;

  explicit bench(dynamodb_traits traits = {}) : db([this] { return now; }, std::move(traits)) {}

  response call(std::string_view operation, std::string body, std::string_view api = "DynamoDB_20120810") {
    request r;
    r.method = "POST";
    r.headers = {{"X-Amz-Target", fmt::format("{}.{}", api, operation)}};
    r.body = std::move(body);
    return db.handle(r);
  }
  std::string ok(std::string_view operation, std::string body) {
    const response r = call(operation, std::move(body));
    REQUIRE_MESSAGE(r.status == 200, r.body);
    return r.body;
  }
};

}  // namespace

TEST_CASE("scan segments of a synthetic table are complete, disjoint and canonically equal to its digest") {
  bench b;
  b.db.create_synthetic_table("big", 5000, 440);
  b.db.create_table("copy", {{"id", 'S'}}, "");
  for (int segment = 0; segment < 3; ++segment) {
    std::string start;
    while (true) {
      const std::string body = fmt::format(R"({{"TableName":"big","TotalSegments":3,"Segment":{}{}}})", segment,
                                           start.empty() ? "" : R"(,"ExclusiveStartKey":)" + start);
      const dynamodb::scan_page page(b.call("Scan", body));
      for (std::size_t i = 0; i < page.size(); ++i) b.db.put("copy", std::string(page.item(i)));
      if (!page.next()) break;
      start = *page.next();
    }
  }
  CHECK(b.db.items("copy").size() == 5000);
  CHECK(b.db.digest("copy") == b.db.digest("big"));
}

TEST_CASE("a stored table's pages are complete for any number of segments, and a key gone in between is no obstacle") {
  bench b({.page_items = 7});
  b.db.create_table("t", {{"pk", 'S'}, {"sk", 'N'}}, "");
  for (int i = 0; i < 500; ++i) {
    b.db.put("t", fmt::format(R"({{"sk":{{"N":"{}"}},"pk":{{"S":"group-{}"}}}})", i - 250, i % 40));
  }
  for (const int total : {1, 3, 8}) {
    std::set<std::string> seen;
    for (int segment = 0; segment < total; ++segment) {
      std::string start;
      while (true) {
        const dynamodb::scan_page page(
            b.call("Scan", fmt::format(R"({{"TableName":"t","TotalSegments":{},"Segment":{}{}}})", total, segment,
                                       start.empty() ? "" : R"(,"ExclusiveStartKey":)" + start)));
        CHECK(page.size() <= 7);
        for (std::size_t i = 0; i < page.size(); ++i) CHECK(seen.insert(std::string(page.item(i))).second);
        if (!page.next()) break;
        start = *page.next();
      }
    }
    CHECK(seen.size() == 500);
  }
}

TEST_CASE("every answer carries the checksum of its body, errors too") {
  bench b;
  for (const auto& r :
       {b.call("ListTables", "{}"), b.call("Scan", R"({"TableName":"none"})"), b.call("Nothing", "{}")}) {
    CHECK(r.header_value("x-amz-crc32") == std::to_string(crypto::crc32(r.body)));
    CHECK(r.header_value("Date") == "Tue, 14 Nov 2023 22:13:20 GMT");
    CHECK(!r.header_value("x-amzn-RequestId").empty());
  }
}

TEST_CASE("a created table is described as the product reads it") {
  bench b;
  b.ok("CreateTable", R"({"TableName":"users","AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],)"
                      R"("KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"BillingMode":"PAY_PER_REQUEST",)"
                      R"("StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}})");
  const auto d = dynamodb::read_table_description(b.ok("DescribeTable", R"({"TableName":"users"})"));
  CHECK(d.name == "users");
  CHECK(d.created == "1700000000.123");
  CHECK(d.on_demand);
  CHECK(d.key == dynamodb::key_schema{{"id", 'S'}});
  REQUIRE(d.stream);
  CHECK(d.stream->label == "2023-11-14T22:13:20.123");
}

TEST_CASE("a batch is refused whole or done, and what is left comes back as it was sent") {
  bench b;
  b.db.create_table("t", {{"id", 'S'}}, "");
  const auto put = [](std::string_view id) {
    return fmt::format(R"({{"PutRequest":{{"Item":{{"id":{{"S":"{}"}}}}}}}})", id);
  };
  const response twice =
      b.call("BatchWriteItem", fmt::format(R"({{"RequestItems":{{"t":[{},{}]}}}})", put("a"), put("a")));
  CHECK(twice.status == 400);
  CHECK(twice.body.find("#ValidationException") != std::string::npos);
  CHECK(b.db.items("t").empty());

  b.db.traits().processed = [](std::size_t) { return std::size_t{1}; };
  const std::string answer =
      b.ok("BatchWriteItem", fmt::format(R"({{"RequestItems":{{"t":[{},{}]}}}})", put("a"), put("b")));
  CHECK(answer == R"({"UnprocessedItems":{"t":[)" + put("b") + "]}}");
  CHECK(b.db.items("t").size() == 1);
  CHECK(dynamodb::read_write_outcome(answer).unprocessed_items == 1);
}
