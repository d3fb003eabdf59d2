#include "fakes/server/aws_service.hpp"

#include <doctest/doctest.h>

#include "unit/fakes/s3_fixture.hpp"

namespace dynabackup::fakes {
namespace {

struct service_fixture : s3_fixture {
  service_fixture() : dynamodb([this] { return now; }), service(s3, dynamodb) {}

  response ask(std::string method, std::string target, std::string body = {}, std::vector<header> headers = {}) {
    request r;
    r.method = std::move(method);
    r.target = std::move(target);
    r.body = std::move(body);
    r.headers = std::move(headers);
    if (!aws_service::is_control(r)) service.seen.arrived(r);
    return service.handle(r);
  }

  fake_dynamodb dynamodb;
  aws_service service;
};

TEST_CASE_FIXTURE(service_fixture, "X-Amz-Target leads to DynamoDB, everything else to S3") {
  dynamodb.create_table("t", {{"id", 'S'}}, "");
  const response described =
      ask("POST", "/", R"({"TableName":"t"})", {{"X-Amz-Target", "DynamoDB_20120810.DescribeTable"}});
  CHECK(described.status == 200);
  CHECK(described.body.find("TableArn") != std::string::npos);
  CHECK(ask("PUT", "/v/k", "x").status == 200);
  CHECK(*s3.versions("v", "k").at(0).body == "x");
}

TEST_CASE_FIXTURE(service_fixture, "statistics tell requests by operation, faults by kind and objects stored") {
  ask("PUT", "/v/k", "x", {{"If-None-Match", "*"}});
  ask("PUT", "/v/k", "x", {{"If-None-Match", "*"}});
  ask("GET", "/v/k");
  service.seen.faulted(fault_kind::lost_answer);
  service.seen.unprocessed(3);
  const response stats = ask("GET", "/_fake/stats");
  CHECK(stats.status == 200);
  for (const char* part :
       {R"("requests_total":3)", R"("PutObject":2)", R"("GetObject":1)", R"("faults_total":1)", R"("lost_answer":1)",
        R"("put_object":{"stored":1,"refused_412":1})", R"("unprocessed_items":3)", R"("dynamodb":{"tables":{)"}) {
    CAPTURE(part);
    CHECK(stats.body.find(part) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(service_fixture, "a client's own operation names cannot fill the memory") {
  for (int i = 0; i < 1000; ++i) ask("POST", "/", "{}", {{"X-Amz-Target", "a.name" + std::to_string(i)}});
  const response stats = ask("GET", "/_fake/stats");
  CHECK(stats.body.find("\"name98\":1") != std::string::npos);
  CHECK(stats.body.find("\"name500\":") == std::string::npos);
  CHECK(stats.body.find("\"unknown\":9") != std::string::npos);
}

TEST_CASE_FIXTURE(service_fixture, "oracles can ask for a bucket's keys and a table's digest") {
  s3.put("v", "a", "hello", {});
  s3.put("v", "a", "hello", {});
  s3.put("v", "b", "x", {});
  s3.remove("v", "b");
  CHECK(ask("GET", "/_fake/bucket/v").body ==
        "{\"key\":\"a\",\"versions\":2,\"etag\":\"5d41402abc4b2a76b9719d911017c592\"}\n"
        "{\"key\":\"b\",\"versions\":2,\"etag\":null}\n");
  dynamodb.create_synthetic_table("big", 10, 100);
  CHECK(ask("GET", "/_fake/table/big").body.starts_with("10:"));
  CHECK(ask("GET", "/_fake/bucket/none").status == 404);
  CHECK(ask("GET", "/_fake/table/none").status == 404);
  CHECK(ask("GET", "/_fake/else").status == 404);
  CHECK(ask("POST", "/_fake/stats").status == 405);
}

}  // namespace
}  // namespace dynabackup::fakes
