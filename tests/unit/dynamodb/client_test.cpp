#include "dynamodb/client.hpp"

#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"

namespace dynabackup::dynamodb {
namespace {

using fakes::run_task;

const origin here{false, "127.0.0.1", 8000};

auto is_call(std::string operation, std::string body) {
  return [operation = std::move(operation), body = std::move(body)](const request& r) {
    CHECK(r.method == "POST");
    CHECK(r.to == here);
    CHECK(r.target == "/");
    REQUIRE(r.headers.size() == 3);
    CHECK(r.headers[0].name == "Content-Type");
    CHECK(r.headers[0].value == "application/x-amz-json-1.0");
    CHECK(r.headers[1].name == "X-Amz-Target");
    CHECK(r.headers[1].value == "DynamoDB_20120810." + operation);
    CHECK(r.headers[2].name == "Accept-Encoding");
    CHECK(r.headers[2].value == "identity");
    CHECK(r.body == body);
  };
}

/// co_spawn wants results that can be default-constructed.
task<std::optional<scan_page>> scan(client& tables, segment part, std::optional<std::string> start,
                                    byte_budget* budget) {
  co_return co_await tables.scan("t", part, std::move(start), {.budget = budget});
}

const std::string refusal = R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no"})";

/// Runs the call and hands back what it was refused with.
template <class Call>
service_failure failure_of(Call call) {
  try {
    call();
  } catch (const service_error& e) {
    return e.failure;
  }
  FAIL("nothing was thrown");
  return {};
}

TEST_CASE("describe_table asks for the table and reads the answer") {
  fakes::scripted_transport network;
  client tables(network, here);
  network.expect(is_call("DescribeTable", R"({"TableName":"a\"b"})"), 200,
                 R"({"Table":{"TableName":"t","TableStatus":"DELETING"}})");
  CHECK(run_task(tables.describe_table("a\"b")).status == "DELETING");
}

TEST_CASE("a base path is kept") {
  fakes::scripted_transport network;
  client tables(network, here, "/proxy/ddb");
  network.expect([](const request& r) { CHECK(r.target == "/proxy/ddb"); }, 200, "{}");
  CHECK_FALSE(run_task(tables.get_item("t", "{}")));
}

TEST_CASE("scan asks for a segment's first page, then for the page behind a key") {
  fakes::scripted_transport network;
  client tables(network, here);
  byte_budget budget(1 << 20);
  network.expect(
      [&](const request& r) {
        is_call("Scan", R"({"TableName":"t","TotalSegments":8,"Segment":3,"ReturnConsumedCapacity":"TOTAL"})")(r);
        CHECK(r.budget == &budget);
        CHECK(r.max_response_bytes == std::size_t{64} << 20);
      },
      200, R"({"Count":1,"Items":[{"id":{"S":"x"}}],"LastEvaluatedKey":{"id":{"S":"x"}}})");
  const auto page = run_task(scan(tables, {3, 8}, std::nullopt, &budget));
  CHECK(page->item(0) == R"({"id":{"S":"x"}})");
  network.expect(is_call("Scan", R"({"TableName":"t","TotalSegments":8,"Segment":3,)"
                                 R"("ExclusiveStartKey":{"id":{"S":"x"}},"ReturnConsumedCapacity":"TOTAL"})"),
                 200, R"({"Count":0,"Items":[]})");
  CHECK(run_task(scan(tables, {3, 8}, page->next(), nullptr))->size() == 0);
}

TEST_CASE("batch_write_item sends the body it is given and tells what is left over") {
  fakes::scripted_transport network;
  client tables(network, here);
  network.expect(is_call("BatchWriteItem", "{the body}"), 200,
                 R"({"UnprocessedItems":{"t":[{"PutRequest":{"Item":{}}}]}})");
  const write_outcome outcome = run_task(tables.batch_write_item("{the body}", "t"));
  CHECK(outcome.unprocessed_items == 1);
}

TEST_CASE("get_item reads consistently, and tells an absent item from a present one") {
  fakes::scripted_transport network;
  client tables(network, here);
  const std::string asked = R"({"TableName":"t","Key":{"id":{"S":"x"}},"ConsistentRead":true})";
  network.expect(is_call("GetItem", asked), 200, R"({"Item": {"id":{"S":"x"}, "b":{"BOOL":true}} })");
  const auto item = run_task(tables.get_item("t", R"({"id":{"S":"x"}})"));
  CHECK(item == R"({"id":{"S":"x"}, "b":{"BOOL":true}})");
  CHECK(item->capacity() - item->size() >= response::body_padding);
  network.expect(is_call("GetItem", asked), 200, "{}");
  CHECK_FALSE(run_task(tables.get_item("t", R"({"id":{"S":"x"}})")));
}

TEST_CASE("an answer that is not the expected JSON is never taken for an absent item") {
  for (const std::string_view body : {"", "[]", "null", "{\"Item\":null}", "{\"Item\":[]}", "{\"Item\":{}", "{} x",
                                      "{\"Item\":{},\"Item\":{}}", "<html/>"}) {
    CAPTURE(body);
    fakes::scripted_transport network;
    client tables(network, here);
    network.expect(nullptr, 200, std::string(body));
    CHECK_THROWS_AS(run_task(tables.get_item("t", "{}")), format_error);
  }
}

TEST_CASE("each call names itself and its table in what it was refused with") {
  fakes::scripted_transport network;
  client tables(network, here);
  const auto check = [](const service_failure& failure, std::string_view operation) {
    CHECK(failure.operation == operation);
    CHECK(failure.resource == "t");
    CHECK(failure.status == 400);
    CHECK(failure.code == "ResourceNotFoundException");
    CHECK(failure.request_id == "R1");
  };
  for (int i = 0; i < 4; ++i) network.expect(nullptr, 400, refusal, {{"x-amzn-RequestId", "R1"}});
  check(failure_of([&] { run_task(tables.describe_table("t")); }), "DescribeTable");
  check(failure_of([&] { run_task(scan(tables, {}, std::nullopt, nullptr)); }), "Scan");
  check(failure_of([&] { run_task(tables.batch_write_item("{}", "t")); }), "BatchWriteItem");
  check(failure_of([&] { run_task(tables.get_item("t", "{}")); }), "GetItem");
}

TEST_CASE("a redirect or an empty 500 is a refusal too") {
  for (const int status : {301, 500, 503}) {
    fakes::scripted_transport network;
    client tables(network, here);
    network.expect(nullptr, status, "");
    CHECK(failure_of([&] { run_task(tables.describe_table("t")); }).status == status);
  }
}

TEST_CASE("what the network throws goes through") {
  fakes::scripted_transport network;
  client tables(network, here);
  network.expect_failure(
      nullptr, std::make_exception_ptr(transport_error("http://x", transport_error::stage::after_send, "reset")));
  CHECK_THROWS_AS(run_task(tables.describe_table("t")), transport_error);
  network.expect_failure(nullptr,
                         std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted)));
  CHECK_THROWS_AS(run_task(tables.describe_table("t")), boost::system::system_error);
}

}  // namespace
}  // namespace dynabackup::dynamodb
