#include "aws/event_source_mappings.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

const std::string source = "arn:aws:dynamodb:eu-west-1:123456789012:table/t/stream/2026-11-22T11:45:03.000";

std::string mapping(const std::string& members) { return R"({"EventSourceMappings":[{)" + members + "}]}"; }

std::string whole(const std::string& uuid, const std::string& function, const std::string& state) {
  return mapping(R"("UUID":")" + uuid + R"(","FunctionArn":")" + function + R"(","State":")" + state +
                 R"(","EventSourceArn":")" + source + R"(")");
}

std::string refusal(const std::string& body) {
  try {
    read_event_source_mappings(body);
  } catch (const format_error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a page as Lambda answers it") {
  const mapping_page page = read_event_source_mappings(
      R"({"NextMarker":"bWFya2Vy==","EventSourceMappings":[
        {"BatchSize":100,"BisectBatchOnFunctionError":true,"DestinationConfig":{"OnFailure":{"Destination":"arn:aws:s3:::b"}},
         "EventSourceArn":")" +
      source + R"(","FilterCriteria":null,
         "FunctionArn":"arn:aws:lambda:eu-west-1:123456789012:function:backup_1:$LATEST","LastModified":1.7953479E9,
         "LastProcessingResult":"OK","State":"Enabled","StateTransitionReason":"User action",
         "UUID":"a1b2c3d4-5678-90ab-cdef-11111EXAMPLE"},
        {"FunctionArn":"arn:aws:lambda:eu-west-1:123456789012:function:other","State":"Disabled","UUID":"0-1",
         "SelfManagedEventSource":{}}]})");
  REQUIRE(page.mappings.size() == 2);
  CHECK(page.mappings[0].uuid == "a1b2c3d4-5678-90ab-cdef-11111EXAMPLE");
  CHECK(page.mappings[0].function == "arn:aws:lambda:eu-west-1:123456789012:function:backup_1:$LATEST");
  CHECK(page.mappings[0].source_arn == source);
  CHECK(page.mappings[0].state == "Enabled");
  CHECK(page.mappings[0].is_on());
  CHECK(page.mappings[1].source_arn.empty());
  CHECK_FALSE(page.mappings[1].is_on());
  CHECK(page.next == "bWFya2Vy==");
}

TEST_CASE("the last page has no marker, an empty one, or null") {
  CHECK_FALSE(read_event_source_mappings(R"({"EventSourceMappings":[]})").next);
  CHECK_FALSE(read_event_source_mappings(R"({"EventSourceMappings":[],"NextMarker":""})").next);
  CHECK_FALSE(read_event_source_mappings(R"({"EventSourceMappings":[],"NextMarker":null})").next);
}

TEST_CASE("a mapping is on when its function is invoked or will be") {
  for (const char* state : {"Enabled", "Enabling", "Updating", "Creating"})
    CHECK(read_event_source_mappings(whole("0", "f", state)).mappings.at(0).is_on());
  for (const char* state : {"Disabled", "Disabling", "Deleting", "enabled", "Something"})
    CHECK_FALSE(read_event_source_mappings(whole("0", "f", state)).mappings.at(0).is_on());
}

TEST_CASE("what is no such answer is refused") {
  for (const char* body :
       {"", " ", "null", "[]", "\"x\"", "7", "<html/>", "{", "{}", R"({"EventSourceMappings":null})",
        R"({"EventSourceMappings":{}})", R"({"EventSourceMappings":[7]})", R"({"EventSourceMappings":[null]})",
        R"({"EventSourceMappings":[{}]})", R"({"EventSourceMappings":[],"NextMarker":7})",
        R"({"EventSourceMappings":[]} x)", "{\"EventSourceMappings\":[],\"x\":\"\xff\"}"}) {
    CAPTURE(body);
    CHECK(refusal(body).starts_with("ListEventSourceMappings answer: "));
  }
  CHECK(refusal(mapping(R"("UUID":"0","State":"Enabled")")).find("FunctionArn") != std::string::npos);
  CHECK(refusal(mapping(R"("UUID":"0","FunctionArn":"f")")).find("State") != std::string::npos);
  CHECK(refusal(mapping(R"("FunctionArn":"f","State":"Enabled")")).find("UUID") != std::string::npos);
  CHECK(refusal(mapping(R"("UUID":["0"],"FunctionArn":"f","State":"Enabled")")).find("UUID") != std::string::npos);
}

TEST_CASE("nothing gets into a command or a message that could do harm there") {
  for (const char* bad : {"0; rm -rf x", "$(x)", "`x`", "0 1", "0\\n1", "\\u001b[31m", "\\u00e9", "'", "../x", "0_1"}) {
    CAPTURE(bad);
    CHECK_FALSE(refusal(whole(bad, "f", "Enabled")).empty());
  }
  for (const char* bad : {"f x", "f\\u0007", "f`x`", "f\\\"", "f;x", "\\u202e"}) {
    CAPTURE(bad);
    CHECK_FALSE(refusal(whole("0", bad, "Enabled")).empty());
    CHECK_FALSE(refusal(whole("0", "f", bad)).empty());
  }
}

TEST_CASE("sizes are bounded, and depth does no harm") {
  CHECK(refusal(whole(std::string(64, '0'), std::string(256, 'f'), std::string(64, 'S'))).empty());
  CHECK_FALSE(refusal(whole(std::string(65, '0'), "f", "Enabled")).empty());
  CHECK_FALSE(refusal(whole("0", std::string(257, 'f'), "Enabled")).empty());
  CHECK_FALSE(refusal(whole("0", "f", std::string(65, 'S'))).empty());
  CHECK_FALSE(refusal(R"({"EventSourceMappings":[],"NextMarker":")" + std::string(5'000, 'm') + R"("})").empty());
  std::string many = R"({"EventSourceMappings":[)";
  for (int i = 0; i < 1'001; ++i)
    many += std::string(i == 0 ? "" : ",") + R"({"UUID":"0","FunctionArn":"f","State":"Enabled"})";
  CHECK(refusal(many + "]}").find("more mappings") != std::string::npos);
  CHECK_FALSE(refusal(R"({"EventSourceMappings":)" + std::string(100'000, '[')).empty());
}
