#include "dynamodb/write_batch.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

std::string put(std::string_view item) { return R"({"PutRequest":{"Item":)" + std::string(item) + "}}"; }

std::string body_of(std::string_view puts) {
  return R"({"RequestItems":{"t":[)" + std::string(puts) + R"(]},"ReturnConsumedCapacity":"TOTAL"})";
}

write_batch three_items() {
  write_batch batch("t");
  batch.add(R"({"id":{"S":"a"}})", 10);
  batch.add(R"({"id":{"S":"bb"}})", 11);
  batch.add(R"({"id":{"S":"ccc"}})", 12);
  return batch;
}

TEST_CASE("the body holds the items as they were given, in order") {
  CHECK(three_items().body() ==
        body_of(put(R"({"id":{"S":"a"}})") + "," + put(R"({"id":{"S":"bb"}})") + "," + put(R"({"id":{"S":"ccc"}})")));
}

TEST_CASE("a table name is written as a JSON string") {
  write_batch batch("a\"b");
  batch.add("{}", 1);
  CHECK(batch.body() == R"({"RequestItems":{"a\"b":[{"PutRequest":{"Item":{}}}]},"ReturnConsumedCapacity":"TOTAL"})");
}

TEST_CASE("items and tags can be read back") {
  const write_batch batch = three_items();
  CHECK(batch.size() == 3);
  CHECK_FALSE(batch.empty());
  CHECK(batch.item(0) == R"({"id":{"S":"a"}})");
  CHECK(batch.item(2) == R"({"id":{"S":"ccc"}})");
  CHECK(batch.tag(1) == 11);
  CHECK(batch.table() == "t");
}

TEST_CASE("a replaced item keeps its place, whether it is longer or shorter") {
  for (const std::string_view item : {R"({})", R"({"id":{"S":"bb"},"more":{"S":"much more than before"}})"}) {
    write_batch batch = three_items();
    batch.replace(1, item, 99);
    CAPTURE(item);
    CHECK(batch.item(0) == R"({"id":{"S":"a"}})");
    CHECK(batch.item(1) == item);
    CHECK(batch.tag(1) == 99);
    CHECK(batch.item(2) == R"({"id":{"S":"ccc"}})");
    CHECK(batch.tag(2) == 12);
    CHECK(batch.body() == body_of(put(R"({"id":{"S":"a"}})") + "," + put(item) + "," + put(R"({"id":{"S":"ccc"}})")));
  }
  write_batch batch = three_items();
  batch.replace(2, "{}", 5);
  batch.replace(0, "{}", 6);
  CHECK(batch.body() == body_of(put("{}") + "," + put(R"({"id":{"S":"bb"}})") + "," + put("{}")));
}

TEST_CASE("a split batch is two whole batches") {
  write_batch first = three_items();
  const write_batch second = first.split();
  CHECK(first.body() == body_of(put(R"({"id":{"S":"a"}})") + "," + put(R"({"id":{"S":"bb"}})")));
  CHECK(second.body() == body_of(put(R"({"id":{"S":"ccc"}})")));
  CHECK(second.tag(0) == 12);
  CHECK(second.table() == "t");
  first.add("{}", 1);
  CHECK(first.item(2) == "{}");
}

TEST_CASE("splitting again and again ends with each item alone") {
  for (std::size_t items = 1; items <= write_batch::max_items; ++items) {
    write_batch batch("t");
    for (std::size_t i = 0; i < items; ++i) batch.add("{\"n\":" + std::to_string(i) + "}", i);
    std::size_t seen = 0;
    const auto isolate = [&](auto& self, write_batch part) -> void {
      if (part.size() == 1) {
        CHECK(part.item(0) == "{\"n\":" + std::to_string(seen) + "}");
        CHECK(part.tag(0) == seen++);
        return;
      }
      write_batch rest = part.split();
      REQUIRE_FALSE(part.empty());
      REQUIRE_FALSE(rest.empty());
      self(self, std::move(part));
      self(self, std::move(rest));
    };
    isolate(isolate, std::move(batch));
    CHECK(seen == items);
  }
  write_batch single("t");
  single.add("{}", 1);
  CHECK(single.split().empty());
  CHECK(single.size() == 1);
  write_batch none("t");
  CHECK(none.split().empty());
}

TEST_CASE("25 items fill a batch") {
  write_batch batch("t");
  for (int i = 0; i < 25; ++i) {
    CHECK(batch.fits(2));
    batch.add("{}", 0);
  }
  CHECK_FALSE(batch.fits(2));
}

TEST_CASE("a batch that has an item is bounded in bytes, an empty one takes any") {
  write_batch batch("t", 1000);
  CHECK(batch.fits(100'000'000));
  batch.add(std::string(500, 'x'), 0);
  CHECK(batch.fits(400));
  CHECK_FALSE(batch.fits(600));
  write_batch wide("t", std::size_t{1} << 40);
  wide.add(std::string(1000, 'x'), 0);
  CHECK_FALSE(wide.fits(write_batch::max_bytes - 1000));
}

TEST_CASE("a body that is let grow to the limit stays below 16 MiB") {
  write_batch batch("t", std::size_t{1} << 40);
  const std::string item(1'000'000, 'x');
  while (batch.fits(item.size())) batch.add(item, 0);
  CHECK(batch.size() == 16);
  const std::string rest(write_batch::max_bytes - batch.body().size() - 40, 'x');
  if (batch.fits(rest.size())) batch.add(rest, 0);
  CHECK(batch.body().size() <= write_batch::max_bytes);
}

TEST_CASE("no unprocessed items: everything was written") {
  for (const std::string_view body : {
           R"({"UnprocessedItems":{}})",
           R"( { "UnprocessedItems" : { } } )",
           R"({"UnprocessedItems":{"t":[]}})",
           R"({"ConsumedCapacity":[],"Unknown":{"UnprocessedItems":1},"UnprocessedItems":{}})",
       }) {
    CAPTURE(body);
    const write_outcome outcome = read_write_outcome(body);
    CHECK(outcome.unprocessed.empty());
    CHECK(outcome.unprocessed_items == 0);
  }
}

TEST_CASE("unprocessed items are the next request, byte for byte") {
  const write_outcome outcome = read_write_outcome(
      R"({"UnprocessedItems":{ "t":[{"PutRequest":{"Item":{"id":{"S":"\u00e9]}"}}}}, )"
      R"({"DeleteRequest":{"Key":{"id":{"N":"1"}}}}] } ,"ConsumedCapacity":[{"TableName":"t","CapacityUnits":2.5},)"
      R"({"CapacityUnits":1}]})");
  CHECK(outcome.unprocessed == R"({"RequestItems":{ "t":[{"PutRequest":{"Item":{"id":{"S":"\u00e9]}"}}}}, )"
                               R"({"DeleteRequest":{"Key":{"id":{"N":"1"}}}}] },"ReturnConsumedCapacity":"TOTAL"})");
  CHECK(outcome.unprocessed_items == 2);
  CHECK(outcome.consumed_capacity == 3.5);
}

TEST_CASE("a success is never guessed") {
  std::string too_many = R"({"UnprocessedItems":{"t":[)";
  for (int i = 0; i < 26; ++i) too_many += (i == 0 ? "" : ",") + put("{}");
  for (const std::string& body : {
           std::string(),
           std::string("{}"),
           std::string("[]"),
           std::string("<html/>"),
           std::string(R"({"UnprocessedItems":null})"),
           std::string(R"({"UnprocessedItems":[]})"),
           std::string(R"({"UnprocessedItems":{"t":null}})"),
           std::string(R"({"UnprocessedItems":{"t":{}}})"),
           std::string(R"({"UnprocessedItems":{"t":[1]}})"),
           std::string(R"({"UnprocessedItems":{"t":[{}]}})"),
           std::string(R"({"UnprocessedItems":{"t":[{"PutRequest":1}]}})"),
           std::string(R"({"UnprocessedItems":{"t":[{"Other":{}}]}})"),
           std::string(R"({"UnprocessedItems":{"t":[{"PutRequest":{},"DeleteRequest":{}}]}})"),
           std::string(R"({"UnprocessedItems":{"t":[]]}})"),
           std::string(R"({"UnprocessedItems":{},"UnprocessedItems":{}})"),
           std::string(R"({"UnprocessedItems":{}} x)"),
           std::string(R"({"UnprocessedItems":{},"ConsumedCapacity":{}})"),
           too_many + "]}}",
       }) {
    CAPTURE(body);
    CHECK_THROWS_AS(read_write_outcome(body), format_error);
  }
}

TEST_CASE("an outcome cut at any byte is refused") {
  const std::string body =
      R"({"ConsumedCapacity":[{"CapacityUnits":1.0}],"UnprocessedItems":{"t":[)" + put("{}") + "]}}";
  for (std::size_t length = 0; length < body.size(); ++length) {
    CAPTURE(length);
    CHECK_THROWS_AS(read_write_outcome(std::string_view(body).substr(0, length)), format_error);
  }
  CHECK(read_write_outcome(body).unprocessed_items == 1);
}

}  // namespace
}  // namespace dynabackup::dynamodb
