#include "aws/sts_client.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "fakes/sent_header.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

struct setup {
  fakes::scripted_transport network;
  fakes::fake_clock clock;
  sts_client sts{network, clock, {{{true, "sts.eu-west-1.amazonaws.com", 443}, "/base"}, "eu-west-1"}, 7};

  credentials assume() {
    return fakes::run_task(sts.assume_role({"arn:aws:iam::1:role/r", "me@here", "ex/ternal", "900"},
                                           {"AKIDBASE", "basesecret", "", std::nullopt, "environment"}));
  }
};

std::string answer_to(const std::string& operation) {
  return "<" + operation + "Response><" + operation +
         "Result><Credentials><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
         "<SessionToken>t</SessionToken><Expiration>2026-11-22T12:45:03Z</Expiration></Credentials></" +
         operation + "Result></" + operation + "Response>";
}

std::string failure(const std::string& code) {
  return "<ErrorResponse><Error><Type>Sender</Type><Code>" + code +
         "</Code><Message>words</Message></Error><RequestId>id1</RequestId></ErrorResponse>";
}

}  // namespace

TEST_CASE("AssumeRole is a form, signed for sts with the source's credentials") {
  setup s;
  s.network.expect(
      [](const request& r) {
        CHECK(r.method == "POST");
        CHECK(r.to.host == "sts.eu-west-1.amazonaws.com");
        CHECK(r.target == "/base/");
        CHECK(r.body ==
              "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr&RoleSessionName=me%40here"
              "&DurationSeconds=900&ExternalId=ex%2Fternal");
        CHECK(fakes::sent_header(r, "Authorization").find("Credential=AKIDBASE/20261122/eu-west-1/sts/aws4_request") !=
              std::string::npos);
      },
      200, answer_to("AssumeRole"));
  CHECK(s.assume().access_key_id == "ASIA1");
}

TEST_CASE("AssumeRoleWithWebIdentity is not signed") {
  setup s;
  s.network.expect(
      [](const request& r) {
        CHECK(r.body ==
              "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Ax&RoleSessionName=me&"
              "WebIdentityToken=a.b%2Bc");
        CHECK(fakes::sent_header(r, "Authorization").empty());
      },
      200, answer_to("AssumeRoleWithWebIdentity"));
  const auto found = fakes::run_task(s.sts.assume_role_with_web_identity({"arn:x", "me", "", ""}, "a.b+c"));
  CHECK(found.session_token == "t");
}

TEST_CASE("what passes is tried again, what STS refuses is told with role and request id") {
  setup s;
  s.network.expect(nullptr, 500, "<html/>");
  s.network.expect(nullptr, 400, failure("IDPCommunicationError"));
  s.network.expect(nullptr, 400, failure("Throttling"));
  s.network.expect(nullptr, 200, answer_to("AssumeRole"));
  CHECK(s.assume().access_key_id == "ASIA1");
  s.network.expect(nullptr, 403, failure("AccessDenied"));
  CHECK_THROWS_WITH_AS(
      s.assume(),
      "AssumeRole on arn:aws:iam::1:role/r: AccessDenied (HTTP 403, request id id1): words. Check that "
      "IAM and the resource's own policy allow these credentials sts:AssumeRole",
      service_error);
  s.network.expect(nullptr, 403, failure("InvalidClientTokenId"));
  try {
    s.assume();
    FAIL("refused");
  } catch (const service_error& e) {
    CHECK(std::string(e.what()).find("Keys in use: environment") != std::string::npos);
  }
  s.network.expect(nullptr, 200, "<AssumeRoleResponse/>");
  CHECK_THROWS_AS(s.assume(), format_error);
}

TEST_CASE("an STS that does not answer is given up after five attempts, for good") {
  setup s;
  for (int i = 0; i < 5; ++i)
    s.network.expect_failure(nullptr, std::make_exception_ptr(transport_error(
                                          "https://sts:443", transport_error::stage::after_send, "reset")));
  try {
    s.assume();
    FAIL("refused");
  } catch (const transport_error& e) {
    CHECK(std::string(e.what()) == "https://sts:443: AssumeRole on arn:aws:iam::1:role/r: reset (after 5 attempts)");
    CHECK_FALSE(e.retryable);
    CHECK(e.where == transport_error::stage::before_send);
  }
}
