#include "lambda/function_event.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"
#include "fakes/test_data.hpp"

using namespace dynabackup;
using namespace dynabackup::lambda;
using caller = function_event::caller;

namespace {

std::string sample(const std::string& name) { return fakes::file_text(fakes::own_data("events/" + name + ".json")); }

std::string complaint(const std::string& request) {
  try {
    read_job_request(request);
  } catch (const format_error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("who called is told by the event's form, and the request is the decoded body") {
  const struct {
    const char* name;
    caller from;
    const char* holds;
  } rows[] = {
      {"apigw-v1-rest-post", caller::gateway, R"({"table":"Orders","segments":8})"},
      {"apigw-v1-http-api-format-1.0", caller::gateway, nullptr},
      {"apigw-v1-rest-base64", caller::gateway, nullptr},
      {"apigw-v1-rest-get-nulls", caller::gateway, ""},
      {"apigw-v2-http-post", caller::gateway, R"({"table":"Orders"})"},
      {"apigw-v2-http-base64", caller::gateway, nullptr},
      {"apigw-v2-http-get-minimal", caller::gateway, ""},
      {"function-url-post", caller::function_url, R"({"table":"Orders"})"},
      {"function-url-iam-base64", caller::function_url, nullptr},
      {"direct-invoke", caller::direct, nullptr},
      {"direct-invoke-null", caller::direct, nullptr},
      {"direct-invoke-string", caller::direct, nullptr},
      {"ddb-stream-insert", caller::direct, nullptr},
  };
  for (const auto& row : rows) {
    CAPTURE(row.name);
    const function_event event = read_function_event(sample(row.name));
    CHECK(event.from == row.from);
    if (row.holds != nullptr) CHECK(event.request == row.holds);
    if (row.from == caller::direct) CHECK(event.request == sample(row.name));
  }
}

TEST_CASE("a base64 body is decoded, a bad one refused") {
  const auto event = [](const std::string& body) {
    return R"({"httpMethod":"POST","requestContext":{},"isBase64Encoded":true,"body":")" + body + "\"}";
  };
  CHECK(read_function_event(event("eyJhIjoxfQ==")).request == R"({"a":1})");
  CHECK_FALSE(read_function_event(event("eyJhIjoxfQ=")).problem.empty());
  CHECK_FALSE(read_function_event(event("%%%%")).problem.empty());
  CHECK(read_function_event(event("%%%%")).by_http());
}

TEST_CASE("what is not JSON is no event, and the message holds none of it") {
  for (const char* event : {"", "{", "secret", "{\"a\":\"secret", "\xff", "{\"a\":\"\xff secret\"}", "1e400"}) {
    CAPTURE(event);
    try {
      read_function_event(event);
      FAIL("taken");
    } catch (const format_error& e) {
      CHECK(std::string(e.what()).find("secret") == std::string::npos);
    }
  }
  CHECK_THROWS_AS(read_function_event(std::string(100'000, '[')), format_error);
}

TEST_CASE("somebody's own members do not make an HTTP request") {
  for (const char* event :
       {R"({"version":"2.0"})", R"({"httpMethod":"GET"})", R"({"version":"2.0","requestContext":{}})",
        R"({"requestContext":{"http":{}},"version":"2.0"})", R"([{"httpMethod":"GET"}])"}) {
    CAPTURE(event);
    CHECK(!read_function_event(event).by_http());
  }
}

TEST_CASE("a request's members are strings or absent") {
  const job_request full = read_job_request(R"({"tableName":"t","snapshotFilename":"s","token":"k","more":[1]})");
  CHECK(full.table == "t");
  CHECK(full.snapshot == "s");
  CHECK(full.token == "k");
  for (const char* nothing : {"", " \n", "null", "{}", R"({"tableName":null})"}) {
    CAPTURE(nothing);
    CHECK(!read_job_request(nothing).table);
  }
  CHECK(complaint(R"({"tableName":7})") == "tableName has to be a string");
  CHECK(complaint(R"({"snapshotFilename":["x"]})") == "snapshotFilename has to be a string");
  CHECK(complaint(R"({"tableName":""})") == "tableName is empty");
  CHECK(complaint("[]") == "the request is not a JSON object");
  CHECK(complaint("\"hello\"") == "the request is not a JSON object");
  CHECK(complaint("{").find("is not JSON") != std::string::npos);
}

TEST_CASE("an HTTP answer carries the document as a string") {
  CHECK(http_answer(404, R"({"message":"a\"b"})") ==
        R"({"statusCode":404,"headers":{"content-type":"application/json"},"isBase64Encoded":false,)"
        R"("body":"{\"message\":\"a\\\"b\"}"})");
}
