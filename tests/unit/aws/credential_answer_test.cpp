#include "aws/credential_answer.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <string>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

std::string sts_answer(const std::string& inner) {
  return R"(<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>)"
         "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn></AssumedRoleUser><Credentials>" +
         inner +
         "</Credentials></AssumeRoleResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
         "</AssumeRoleResponse>";
}

const std::string whole =
    "<AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s3cret/+=</SecretAccessKey><SessionToken>tok/en==</SessionToken>"
    "<Expiration>2026-11-22T12:45:03Z</Expiration>";

void check_sts_refused(const std::string& body, const std::string& expected) {
  CAPTURE(body.substr(0, 300));
  std::string message = "(no error)";
  try {
    read_sts_credentials(body, "AssumeRole");
  } catch (const format_error& e) {
    message = e.what();
  }
  CHECK(message == "the answer of STS to AssumeRole " + expected);
}

void check_container_refused(const std::string& body, const std::string& expected) {
  CAPTURE(body.substr(0, 300));
  std::string message = "(no error)";
  try {
    read_container_credentials(body);
  } catch (const format_error& e) {
    message = e.what();
  }
  CHECK(message == "the answer of the container credentials endpoint " + expected);
}

}  // namespace

TEST_CASE("STS's answer becomes credentials") {
  const auto found = read_sts_credentials(sts_answer(whole), "AssumeRole");
  CHECK(found.access_key_id == "ASIA1");
  CHECK(found.secret_access_key == "s3cret/+=");
  CHECK(found.session_token == "tok/en==");
  REQUIRE(found.expires);
  CHECK(found.expires->time_since_epoch().count() == 1'795'351'503);
}

TEST_CASE("an answer of STS without whole credentials is refused, and none of it is shown") {
  check_sts_refused("", "is no XML that could be read");
  check_sts_refused("<AssumeRoleResponse><AssumeRoleResult>", "is no XML that could be read");
  check_sts_refused("<html/>", "holds no credentials");
  check_sts_refused("<AssumeRoleResponse/>", "holds no credentials");
  check_sts_refused(sts_answer(""), "has no AccessKeyId");
  check_sts_refused(sts_answer("<AccessKeyId>A</AccessKeyId>"), "has no SecretAccessKey");
  const std::string keys = "<AccessKeyId>A</AccessKeyId><SecretAccessKey>s3cret</SecretAccessKey>";
  check_sts_refused(sts_answer(keys), "has no SessionToken");
  check_sts_refused(sts_answer(keys + "<SessionToken>t</SessionToken>"), "has an Expiration that is no time");
  check_sts_refused(sts_answer("<AccessKeyId>A B</AccessKeyId>"), "has characters in its AccessKeyId that none has");
  check_sts_refused(sts_answer("<AccessKeyId>A&#13;&#10;X: y</AccessKeyId>"),
                    "has characters in its AccessKeyId that none has");
  check_sts_refused(sts_answer("<AccessKeyId>" + std::string(513, 'A') + "</AccessKeyId>"),
                    "has too long a value of AccessKeyId (more than 512 bytes)");
  check_sts_refused(std::string(300'000, ' '), "is too large");
  CHECK_THROWS_AS(read_sts_credentials(sts_answer(whole), "AssumeRoleWithWebIdentity"), format_error);
}

TEST_CASE("a container agent's answer becomes credentials") {
  const auto found =
      read_container_credentials(R"({"RoleArn":"arn:x","AccessKeyId":"ASIA1","SecretAccessKey":"s3cret","Token":"t/=",)"
                                 R"("Expiration":"2026-11-22T12:45:03Z","AccountId":"1","More":[{}]})");
  CHECK(found.access_key_id == "ASIA1");
  CHECK(found.secret_access_key == "s3cret");
  CHECK(found.session_token == "t/=");
  REQUIRE(found.expires);
  CHECK(found.expires->time_since_epoch().count() == 1'795'351'503);
  const auto lasting = read_container_credentials(R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":null})");
  CHECK(lasting.session_token.empty());
  CHECK_FALSE(lasting.expires);
}

TEST_CASE("an agent's answer without keys is refused, and none of it is shown") {
  check_container_refused("", "is no JSON object");
  check_container_refused("[]", "is no JSON object");
  check_container_refused("{\"AccessKeyId\":\"A\"", "is no JSON object");
  check_container_refused(std::string(2000, '['), "is no JSON object");
  check_container_refused("{}", "has no AccessKeyId");
  check_container_refused(R"({"AccessKeyId":1,"SecretAccessKey":"s"})",
                          "has something else than text as its AccessKeyId");
  check_container_refused(R"({"AccessKeyId":"A","SecretAccessKey":""})", "has no SecretAccessKey");
  check_container_refused(R"({"AccessKeyId":"A","SecretAccessKey":"s3\ncret"})",
                          "has characters in its SecretAccessKey that none has");
  check_container_refused(R"({"AccessKeyId":"A","SecretAccessKey":"s","Token":"a\r\nX: y"})",
                          "has characters in its Token that none has");
  check_container_refused(R"({"AccessKeyId":"A","SecretAccessKey":"s","Expiration":"soon"})",
                          "has an Expiration that is no time");
  check_container_refused("{\"a\":\"" + std::string(300'000, 'x') + "\"}", "is too large");
}

TEST_CASE("an expiry is taken by the clock of whoever set it") {
  const text::millis now{std::chrono::seconds{1'795'347'903}};  // 2026-11-22T11:45:03Z
  struct row {
    const char* date;
    std::int64_t expected;
  };
  const row rows[] = {{"Sun, 22 Nov 2026 11:45:03 GMT", 1'795'351'503},
                      {"Sun, 22 Nov 2026 11:45:50 GMT", 1'795'351'503},
                      {"Sun, 22 Nov 2026 10:45:03 GMT", 1'795'355'103},
                      {"Sun, 22 Nov 2026 12:45:03 GMT", 1'795'347'903},
                      {"", 1'795'351'503},
                      {"yesterday", 1'795'351'503}};
  for (const auto& r : rows) {
    CAPTURE(r.date);
    auto found = read_sts_credentials(sts_answer(whole), "AssumeRole");
    response answer;
    answer.headers = {{"date", r.date}};
    set_by_our_clock(found, answer, now);
    CHECK(found.expires->time_since_epoch().count() == r.expected);
  }
}
