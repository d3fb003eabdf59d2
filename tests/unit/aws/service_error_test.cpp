#include "aws/service_error.hpp"

#include <doctest/doctest.h>
#include <string>

#include "text/codecs.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

response answer(int status, std::string body, std::vector<header> headers = {}) {
  return {status, std::move(headers), std::move(body), {}};
}

}  // namespace

TEST_CASE("JSON errors") {
  struct row {
    const char* what;
    int status;
    std::string body;
    std::vector<header> headers;
    std::string code, message, request_id;
  };
  const row rows[] = {
      {"DynamoDB's own",
       400,
       R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"})",
       {{"x-amzn-RequestId", "ABC123"}},
       "ResourceNotFoundException",
       "Requested resource not found",
       "ABC123"},
      {"another namespace, Message with a capital",
       400,
       R"({"__type":"com.amazon.coral.validate#ValidationException","Message":"1 validation error"})",
       {},
       "ValidationException",
       "1 validation error",
       ""},
      {"no namespace", 400, R"({"message":"x","__type":"ThrottlingException"})", {}, "ThrottlingException", "x", ""},
      {"text after a colon", 400, R"({"__type":"a#Code:http://internal.amazon.com/coral/"})", {}, "Code", "", ""},
      {"the code in the header only",
       400,
       "{}",
       {{"X-Amzn-ErrorType", "AccessDeniedException:http://x/"}},
       "AccessDeniedException",
       "",
       ""},
      {"__type beats the header", 400, R"({"__type":"a#First"})", {{"x-amzn-errortype", "Second"}}, "First", "", ""},
      {"a code member", 400, R"({"code":"Odd"})", {}, "Odd", "", ""},
      {"members in between",
       400,
       R"({"ThrottlingReasons":[{"reason":"x","__type":"no#Inner"}],"a":{"message":"inner"},"n":1.5e3,"__type":"a#Code","message":"outer"})",
       {},
       "Code",
       "outer",
       ""},
      {"escapes",
       400,
       R"({"__type":"a#Code","message":"caf\u00e9 \"x\" \ud83d\ude00"})",
       {},
       "Code",
       "caf\xC3\xA9 \"x\" \xF0\x9F\x98\x80",
       ""},
      {"members that are no strings", 400, R"({"__type":5,"message":{"a":1},"code":null})", {}, "", "", ""},
      {"HTML", 502, "<html><body>Bad Gateway</body></html>", {}, "", "", ""},
      {"no JSON at all", 500, "oops", {}, "", "", ""},
      {"cut", 500, R"({"__type":"a#Co)", {}, "", "", ""},
      {"an array", 400, R"(["__type"])", {}, "", "", ""},
      {"a scalar", 400, "17", {}, "", "", ""},
      {"empty", 503, "", {{"x-amzn-requestid", "R"}}, "ServiceUnavailable", "", "R"},
      {"white space", 503, " \n", {}, "", "", ""},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    const auto failure = read_json_failure(answer(r.status, r.body, r.headers));
    CHECK(failure.status == r.status);
    CHECK(failure.code == r.code);
    CHECK(failure.message == r.message);
    CHECK(failure.request_id == r.request_id);
    CHECK(failure.attempts == 1);
  }
}

TEST_CASE("XML errors") {
  struct row {
    const char* what;
    int status;
    std::string body;
    std::vector<header> headers;
    std::string code, message, request_id;
  };
  const row rows[] = {
      {"S3's own",
       404,
       "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchKey</Code><Message>The specified key does not "
       "exist.</Message><Key>a</Key><RequestId>TX1</RequestId><HostId>h</HostId></Error>",
       {},
       "NoSuchKey",
       "The specified key does not exist.",
       "TX1"},
      {"the header's request id first",
       404,
       "<Error><Code>X</Code><RequestId>body</RequestId></Error>",
       {{"x-amz-request-id", "head"}},
       "X",
       "",
       "head"},
      {"STS's own",
       403,
       "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>"
       "<Code>AccessDenied</Code><Message>no</Message></Error><RequestId>S1</RequestId></ErrorResponse>",
       {},
       "AccessDenied",
       "no",
       "S1"},
      {"entities and CDATA",
       400,
       "<Error><Code>C</Code><Message>a &lt;b&gt; &amp; &#233;<![CDATA[]]></Message></Error>",
       {},
       "C",
       "a <b> & \xC3\xA9",
       ""},
      {"the region in the body",
       400,
       "<Error><Code>AuthorizationHeaderMalformed</Code><Message>wrong "
       "region</Message><Region>eu-west-1</Region></Error>",
       {},
       "AuthorizationHeaderMalformed",
       "wrong region (bucket is in region eu-west-1)",
       ""},
      {"the region in the header of a redirect",
       301,
       "",
       {{"x-amz-bucket-region", "eu-north-1"}},
       "PermanentRedirect",
       "(bucket is in region eu-north-1)",
       ""},
      {"the region where it is not the trouble",
       403,
       "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
       {{"x-amz-bucket-region", "eu-north-1"}},
       "AccessDenied",
       "no",
       ""},
      {"HTML",
       502,
       "<html><head><title>502</title></head><body><Error><Code>X</Code></Error></body></html>",
       {},
       "",
       "",
       ""},
      {"another document",
       200,
       "<DeleteResult><Error><Code>AccessDenied</Code></Error></DeleteResult>",
       {},
       "",
       "",
       ""},
      {"cut", 500, "<Error><Code>InternalErr", {}, "", "", ""},
      {"no XML at all", 500, "oops", {}, "", "", ""},
      {"a document type with entities",
       400,
       "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Error><Code>C</Code><Message>&b;</Message></Error>",
       {},
       "C",
       "&b;",
       ""},
  };
  for (const auto& r : rows) {
    CAPTURE(r.what);
    const auto failure = read_xml_failure(answer(r.status, r.body, r.headers));
    CHECK(failure.status == r.status);
    CHECK(failure.code == r.code);
    CHECK(failure.message == r.message);
    CHECK(failure.request_id == r.request_id);
  }
}

TEST_CASE("an answer without a body gets its code from the status") {
  struct row {
    int status;
    const char* code;
  };
  const row rows[] = {{301, "PermanentRedirect"}, {304, "NotModified"},        {400, "BadRequest"},
                      {403, "Forbidden"},         {404, "NotFound"},           {405, "MethodNotAllowed"},
                      {409, "Conflict"},          {412, "PreconditionFailed"}, {416, "InvalidRange"},
                      {500, "InternalError"},     {503, "ServiceUnavailable"}, {418, ""}};
  for (const auto& r : rows) {
    CHECK(read_xml_failure(answer(r.status, "")).code == r.code);
    CHECK(read_json_failure(answer(r.status, "")).code == r.code);
  }
}

TEST_CASE("messages are cut to 500 bytes between characters") {
  const std::string euro = "\xE2\x82\xAC";
  std::string text;
  for (int i = 0; i < 400; ++i) text += euro;
  const auto failure = read_json_failure(answer(400, R"({"__type":"a#C","message":")" + text + R"("})"));
  CHECK(failure.message.size() == 498);
  CHECK(text::valid_utf8(failure.message));
  const auto xml = read_xml_failure(
      answer(301, "<Error><Code>C</Code><Message>" + text + "</Message><Region>eu-west-1</Region></Error>"));
  CHECK(xml.message.size() <= 500);
  CHECK(text::valid_utf8(xml.message));
  CHECK(xml.message.ends_with(" (bucket is in region eu-west-1)"));
}

TEST_CASE("what is not fit for a terminal is replaced") {
  const auto json =
      read_json_failure(answer(400, R"({"__type":"a#Co\u001bde","message":"a\u0000b\u001b[31m\nc\u007f\u009bd"})",
                               {{"x-amzn-RequestId",
                                 "r\x1b"
                                 "d"}}));
  CHECK(json.code == "Co de");
  CHECK(json.message == "a b [31m c  d");
  CHECK(json.request_id == "r d");
  const auto xml =
      read_xml_failure(answer(400, "<Error><Code>C</Code><Message>a\xFF\xC3(\xED\xA0\x80</Message></Error>"));
  CHECK(xml.message == "a??(???");
}

TEST_CASE("codes and request ids are cut as well") {
  const auto failure = read_json_failure(answer(400, R"({"__type":")" + std::string(100'000, 'x') + R"("})",
                                                {{"x-amzn-RequestId", std::string(9'000, 'y')}}));
  CHECK(failure.code.size() == 128);
  CHECK(failure.request_id.size() == 128);
}

TEST_CASE("a session token in the canonical request that DynamoDB repeats is left out") {
  const auto failure = read_json_failure(answer(
      400,
      R"({"__type":"com.amazon.coral.service#InvalidSignatureException","message":"The request signature we calculated does not match.\n\nThe Canonical String for this request should have been\n'POST\n/\n\nx-amz-security-token:SECRET\n"})"));
  CHECK(failure.code == "InvalidSignatureException");
  CHECK(failure.message == "The request signature we calculated does not match.");
}

TEST_CASE("a body too large to be an error answer is not read") {
  const std::string padding(2 << 20, ' ');
  CHECK(read_json_failure(answer(500, R"({"__type":"a#C"})" + padding)).code == "");
  CHECK(read_xml_failure(answer(500, "<Error><Code>C</Code></Error>" + padding)).code == "");
}

TEST_CASE("deep nesting is no trouble") {
  std::string json, xml;
  for (int i = 0; i < 100'000; ++i) json += "[";
  for (int i = 0; i < 100'000; ++i) xml += "<Error>";
  CHECK(read_json_failure(answer(500, R"({"a":)" + json)).code == "");
  CHECK(read_xml_failure(answer(500, xml)).code == "");
}

TEST_CASE("the number of attempts comes from the transport's header") {
  const auto attempts = [](const char* value) {
    return read_json_failure(answer(500, "", {{"x-dynabackup-attempts", value}})).attempts;
  };
  CHECK(attempts("7") == 7);
  for (const char* bad : {"", "x", "0", "-3", "7x", "99999999999"}) CHECK(attempts(bad) == 1);
}
