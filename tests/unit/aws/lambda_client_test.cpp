#include "aws/lambda_client.hpp"

#include <doctest/doctest.h>
#include <string>

#include "aws/service_error.hpp"
#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "fakes/sent_header.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using std::chrono::milliseconds;

namespace {

const std::string source = "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-11-22T11:45:03.000";
const std::string first_target =
    "/base/2015-03-31/event-source-mappings/?EventSourceArn="
    "arn%3Aaws%3Adynamodb%3Aeu-west-1%3A1%3Atable%2Ft%2Fstream%2F2026-11-22T11%3A45%3A03.000";

/// Has others whenever it is asked for them, and counts that.
class keys final : public credential_provider {
 public:
  task<credentials> current() override {
    co_return credentials{"AKID" + std::to_string(renewals), "secret", "token", std::nullopt, "environment"};
  }
  task<bool> refresh(credentials) override {
    ++renewals;
    co_return true;
  }
  int renewals = 0;
};

struct setup {
  fakes::scripted_transport network;
  fakes::fake_clock clock;
  keys who;
  lambda_client functions{network, clock, who, {{{true, "lambda.eu-west-1.amazonaws.com", 443}, "/base"}, "eu-west-1"}};

  std::vector<event_source_mapping> ask() {
    return fakes::run_task(functions.event_source_mappings(source, std::chrono::seconds{3}));
  }
  /// An answer that takes so long.
  std::function<void(const request&)> after(milliseconds delay) {
    return [this, delay](const request&) { clock.steady += delay; };
  }
};

std::string one(const std::string& uuid, const std::string& source_arn = source) {
  return R"({"UUID":")" + uuid + R"(","FunctionArn":"f","State":"Enabled","EventSourceArn":")" + source_arn + R"("})";
}

std::string page(const std::string& mappings, const std::string& marker = "") {
  return R"({"EventSourceMappings":[)" + mappings + R"(],"NextMarker":")" + marker + R"("})";
}

}  // namespace

TEST_CASE("a signed GET for the stream's mappings, and all of its pages") {
  setup s;
  s.network.expect(
      [](const request& r) {
        CHECK(r.method == "GET");
        CHECK(r.to.host == "lambda.eu-west-1.amazonaws.com");
        CHECK(r.target == first_target);
        CHECK(r.body.empty());
        CHECK(r.attempt_timeout == milliseconds{3'000});
        CHECK(r.max_response_bytes <= std::size_t{4} << 20);
        CHECK(fakes::sent_header(r, "X-Amz-Security-Token") == "token");
        CHECK(fakes::sent_header(r, "Authorization").find("Credential=AKID0/20261122/eu-west-1/lambda/aws4_request") !=
              std::string::npos);
      },
      200, page(one("1") + "," + one("2"), "m/1="));
  s.network.expect([](const request& r) { CHECK(r.target == first_target + "&Marker=m%2F1%3D"); }, 200, page(one("3")));
  const auto found = s.ask();
  REQUIRE(found.size() == 3);
  CHECK(found[0].uuid == "1");
  CHECK(found[2].uuid == "3");
}

TEST_CASE("mappings of other sources, with which some emulators answer, are left out") {
  setup s;
  s.network.expect(nullptr, 200, page(one("1", "arn:aws:sqs:eu-west-1:1:q") + "," + one("2")));
  const auto found = s.ask();
  REQUIRE(found.size() == 1);
  CHECK(found[0].uuid == "2");
}

TEST_CASE("what Lambda refuses is told, and not asked again") {
  setup s;
  s.network.expect(nullptr, 403,
                   R"({"Message":"User: x is not authorized to perform: lambda:ListEventSourceMappings"})",
                   {{"x-amzn-ErrorType", "AccessDeniedException"}, {"x-amzn-RequestId", "id1"}});
  try {
    s.ask();
    FAIL("refused");
  } catch (const service_error& e) {
    CHECK(e.failure.code == "AccessDeniedException");
    CHECK(std::string(e.what()).find("ListEventSourceMappings") != std::string::npos);
    CHECK(std::string(e.what()).find(source) != std::string::npos);
  }
  s.network.expect(nullptr, 500, "<html/>");
  CHECK_THROWS_AS(s.ask(), service_error);
  s.network.expect(nullptr, 204, "");
  CHECK_THROWS_AS(s.ask(), service_error);
  s.network.expect(nullptr, 200, "<html/>");
  CHECK_THROWS_AS(s.ask(), format_error);
  s.network.expect_failure(nullptr, std::make_exception_ptr(transport_error(
                                        "https://l:443", transport_error::stage::before_send, "refused")));
  CHECK_THROWS_AS(s.ask(), transport_error);
  CHECK(s.clock.sleeps.empty());
}

TEST_CASE("keys that only Lambda refuses do not send anybody for others") {
  setup s;
  s.network.expect(nullptr, 403, R"({"message":"The security token included in the request is invalid."})",
                   {{"x-amzn-ErrorType", "UnrecognizedClientException"}});
  CHECK_THROWS_AS(s.ask(), service_error);
  CHECK(s.who.renewals == 0);
}

TEST_CASE("a throttled request is sent again, three times in all") {
  setup s;
  const std::vector<header> throttled{{"x-amzn-ErrorType", "TooManyRequestsException"}};
  s.network.expect(nullptr, 429, "{}", throttled);
  s.network.expect(nullptr, 429, "{}", throttled);
  s.network.expect([](const request& r) { CHECK(r.attempt_timeout == milliseconds{2'400}); }, 200, page(one("1")));
  CHECK(s.ask().size() == 1);
  CHECK(s.clock.slept() == milliseconds{600});
  for (int i = 0; i < 3; ++i) s.network.expect(nullptr, 429, "{}", throttled);
  try {
    s.ask();
    FAIL("refused");
  } catch (const service_error& e) {
    CHECK(e.failure.attempts == 3);
  }
}

TEST_CASE("all pages and attempts together take no longer than the patience") {
  setup s;
  s.network.expect(s.after(milliseconds{1'800}), 200, page("", "a"));
  s.network.expect(
      [&s](const request& r) {
        CHECK(r.attempt_timeout == milliseconds{1'200});
        s.clock.steady += milliseconds{1'200};
      },
      200, page("", "b"));
  CHECK_THROWS_AS(s.ask(), transport_error);
  s.network.expect(s.after(milliseconds{2'900}), 429, "{}", {{"x-amzn-ErrorType", "TooManyRequestsException"}});
  CHECK_THROWS_AS(s.ask(), service_error);
  CHECK(s.clock.sleeps.empty());
}

TEST_CASE("pages without end come to an end") {
  setup s;
  for (int i = 0; i < 20; ++i) s.network.expect(nullptr, 200, page("", "again"));
  CHECK_THROWS_AS(s.ask(), format_error);
  CHECK(s.network.requests == 20);
}
