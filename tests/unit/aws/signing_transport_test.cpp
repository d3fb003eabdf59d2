#include "aws/signing_transport.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "aws/service_error.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using namespace std::chrono_literals;

namespace {

class changing_credentials final : public credential_provider {
 public:
  std::vector<credentials> next{{"AKIDFIRST", "secret", "", std::nullopt, "test"}};
  task<credentials> current() override {
    const credentials now = next.front();
    if (next.size() > 1) next.erase(next.begin());
    co_return now;
  }
  task<bool> refresh(credentials stale) override {
    refused.push_back(stale.access_key_id);
    if (failure) throw usage_error("the source is closed");
    if (!others) co_return false;
    next = {*others};
    co_return true;
  }
  std::optional<credentials> others{};
  bool failure = false;
  std::vector<std::string> refused{};
};

struct setup {
  fakes::scripted_transport network;
  changing_credentials who;
  fakes::fake_clock clock;
  signing_transport dynamodb{network, who, clock, "eu-west-1", "dynamodb", sigv4::dynamodb_rules};
  signing_transport s3{network, who, clock, "eu-west-1", "s3", sigv4::s3_rules};
};

request some_request(std::string body = "{}", bool tls = true) {
  request r;
  r.method = "POST";
  r.to = {tls, "example.test", static_cast<std::uint16_t>(tls ? 443 : 80)};
  r.body = std::move(body);
  return r;
}

std::vector<std::string> values(const request& r, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& h : r.headers) {
    std::string lower = h.name;
    for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (lower == name) out.push_back(h.value);
  }
  return out;
}

std::string value(const request& r, std::string_view name) {
  const auto all = values(r, name);
  REQUIRE(all.size() == 1);
  return all.front();
}

}  // namespace

TEST_CASE("an attempt is signed with the clock's date and the current credentials") {
  setup s;
  s.network.expect(
      [](const request& r) {
        CHECK(value(r, "x-amz-date") == "20261122T114503Z");
        CHECK(value(r, "authorization")
                  .starts_with("AWS4-HMAC-SHA256 Credential=AKIDFIRST/20261122/eu-west-1/dynamodb/aws4_request"));
        CHECK(values(r, "x-amz-content-sha256").empty());
      },
      200, "{}");
  auto r = some_request();
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 200);
}

TEST_CASE("a later attempt carries nothing of the earlier signature") {
  setup s;
  s.who.next = {{"AKIDFIRST", "secret", "OLDTOKEN", std::nullopt, "test"},
                {"AKIDSECOND", "secret2", "", std::nullopt, "test"}};
  std::string first;
  s.network.expect(
      [&](const request& r) {
        first = value(r, "authorization");
        CHECK(value(r, "x-amz-security-token") == "OLDTOKEN");
      },
      500, "");
  s.network.expect(
      [&](const request& r) {
        CHECK(value(r, "authorization").find("Credential=AKIDSECOND/") != std::string::npos);
        CHECK(value(r, "authorization") != first);
        CHECK(value(r, "x-amz-date") == "20261122T114603Z");
        CHECK(values(r, "x-amz-security-token").empty());
      },
      200, "");
  auto r = some_request();
  fakes::run_task(s.dynamodb.send(r));
  s.clock.wall += 60s;
  fakes::run_task(s.dynamodb.send(r));
}

TEST_CASE("which payload hash is signed") {
  const std::string small(1 << 20, 'x'), large((1 << 20) + 1, 'x');
  struct row {
    const char* what;
    std::string body;
    bool tls;
    std::string expected;
  };
  const row rows[] = {{"a small body", small, true, crypto::sha256_hex(small)},
                      {"a large body over TLS", large, true, "UNSIGNED-PAYLOAD"},
                      {"a large body in plain text", large, false, crypto::sha256_hex(large)},
                      {"no body", "", true, crypto::sha256_hex("")}};
  for (const auto& row : rows) {
    CAPTURE(row.what);
    setup s;
    s.network.expect([&](const request& r) { CHECK(value(r, "x-amz-content-sha256") == row.expected); }, 200, "");
    auto r = some_request(row.body, row.tls);
    fakes::run_task(s.s3.send(r));
  }
}

TEST_CASE("failures of the network and of the credentials pass through") {
  setup s;
  s.network.expect_failure(nullptr, std::make_exception_ptr(transport_error(
                                        "https://example.test:443", transport_error::stage::before_send, "reset")));
  auto r = some_request();
  CHECK_THROWS_AS(fakes::run_task(s.dynamodb.send(r)), transport_error);
}

TEST_CASE("a wrong clock is corrected by the service's Date, once") {
  const char* skewed =
      R"({"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired"})";
  const header later{"Date", "Sun, 22 Nov 2026 12:45:03 GMT"};
  setup s;
  s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T114503Z"); }, 400, skewed, {later});
  s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T124503Z"); }, 200, "{}");
  s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T124503Z"); }, 400, skewed, {later});
  auto r = some_request();
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 200);
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 400);
}

TEST_CASE("a signature that grew old on its way is made anew, and an old Date mends no clock") {
  const char* expired =
      R"({"__type":"com.amazon.coral.service#InvalidSignatureException","message":"Signature expired"})";
  setup s;
  const auto sleep = [&s](const request&) { s.clock.wall += 2h; };
  const auto signed_for = [](const char* date) {
    return [date](const request& r) { CHECK(value(r, "x-amz-date") == date); };
  };
  // The answer came before the machine was suspended.
  s.network.expect(sleep, 400, expired, {{"Date", "Sun, 22 Nov 2026 11:45:03 GMT"}});
  s.network.expect(signed_for("20261122T134503Z"), 200, "{}");
  auto r = some_request();
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 200);

  // It was suspended before the request left; and the clock is wrong, too.
  s.network.expect(sleep, 400, expired, {{"Date", "Sun, 22 Nov 2026 16:45:03 GMT"}});
  s.network.expect(signed_for("20261122T154503Z"), 400, expired, {{"Date", "Sun, 22 Nov 2026 16:45:03 GMT"}});
  s.network.expect(signed_for("20261122T164503Z"), 200, "{}");
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 200);

  // Once a request.
  s.network.expect(sleep, 400, expired, {{"Date", "Sun, 22 Nov 2026 18:45:03 GMT"}});
  s.network.expect(sleep, 400, expired, {{"Date", "Sun, 22 Nov 2026 20:45:03 GMT"}});
  CHECK(fakes::run_task(s.dynamodb.send(r)).status == 400);
}

TEST_CASE("the clock is touched for no other reason") {
  struct row {
    const char* what;
    int status;
    std::string body;
    std::string date;
  };
  const row rows[] = {
      {"another error", 400, R"({"__type":"a#ValidationException"})", "Sun, 22 Nov 2026 12:45:03 GMT"},
      {"another refusal", 403, "<Error><Code>AccessDenied</Code></Error>", "Sun, 22 Nov 2026 12:45:03 GMT"},
      {"a small difference", 403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "Sun, 22 Nov 2026 11:48:03 GMT"},
      {"no date", 403, "<Error><Code>RequestTimeTooSkewed</Code></Error>", ""},
      {"a success", 200, "{}", "Sun, 22 Nov 2026 12:45:03 GMT"},
      {"a missing object", 404, "", "Sun, 22 Nov 2026 12:45:03 GMT"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    setup s;
    s.network.expect(nullptr, row.status, row.body, {{"date", row.date}});
    s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T114503Z"); }, 200, "");
    auto r = some_request();
    CHECK(fakes::run_task(s.s3.send(r)).status == row.status);
    fakes::run_task(s.s3.send(r));
  }
}

TEST_CASE("a HEAD that is refused without a word may be about the clock too") {
  setup s;
  s.network.expect(nullptr, 403, "", {{"date", "Sun, 22 Nov 2026 10:45:03 GMT"}});
  s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T104503Z"); }, 200, "");
  auto r = some_request("");
  r.method = "HEAD";
  CHECK(fakes::run_task(s.s3.send(r)).status == 200);
}

TEST_CASE("credentials that are refused are replaced once, and the request is signed again") {
  struct row {
    int status;
    std::string body;
  };
  const row rows[] = {{400, R"({"__type":"com.amazon.coral.service#ExpiredTokenException","message":"m"})"},
                      {400, R"({"__type":"com.amazon.coral.service#UnrecognizedClientException"})"},
                      {400, "<Error><Code>ExpiredToken</Code></Error>"},
                      {403, "<Error><Code>ExpiredToken</Code></Error>"},
                      {400, "<Error><Code>InvalidToken</Code></Error>"},
                      {400, "<Error><Code>TokenRefreshRequired</Code></Error>"},
                      {403, "<Error><Code>InvalidAccessKeyId</Code></Error>"}};
  for (const auto& row : rows) {
    CAPTURE(row.body);
    setup s;
    s.who.others = credentials{"AKIDSECOND", "secret2", "NEWTOKEN", std::nullopt, "test"};
    s.network.expect(
        [](const request& r) { CHECK(value(r, "authorization").find("Credential=AKIDFIRST/") != std::string::npos); },
        row.status, row.body);
    s.network.expect(
        [](const request& r) {
          CHECK(value(r, "authorization").find("Credential=AKIDSECOND/") != std::string::npos);
          CHECK(value(r, "x-amz-security-token") == "NEWTOKEN");
        },
        200, "{}");
    auto r = some_request();
    CHECK(fakes::run_task(s.s3.send(r)).status == 200);
    CHECK(s.who.refused == std::vector<std::string>{"AKIDFIRST"});
  }
}

TEST_CASE("credentials that are refused again, or have no others, are named in the answer") {
  const char* expired = R"({"__type":"a#ExpiredTokenException"})";
  setup s;
  s.who.next = {{"AKIDFIRST", "secret", "t", std::nullopt, "environment"}};
  s.network.expect(nullptr, 400, expired, {{"x-dynabackup-keys", "somebody else's word"}});
  auto r = some_request();
  CHECK(read_json_failure(fakes::run_task(s.dynamodb.send(r))).keys == "environment");
  s.who.others = credentials{"AKIDSECOND", "secret2", "t", std::nullopt, "profile a"};
  s.network.expect(nullptr, 400, expired);
  s.network.expect(nullptr, 400, expired);
  CHECK(read_json_failure(fakes::run_task(s.dynamodb.send(r))).keys == "profile a");
  CHECK(s.who.refused.size() == 2);
  s.who.failure = true;
  s.network.expect(nullptr, 400, expired);
  CHECK_THROWS_WITH_AS(fakes::run_task(s.dynamodb.send(r)), "the source is closed", usage_error);
}

TEST_CASE("other refusals replace no credentials") {
  for (const auto* body :
       {"<Error><Code>AccessDenied</Code></Error>", "<Error><Code>SignatureDoesNotMatch</Code></Error>",
        R"({"__type":"a#ValidationException"})"}) {
    CAPTURE(body);
    setup s;
    s.network.expect(nullptr, 403, body);
    auto r = some_request();
    const auto answer = fakes::run_task(s.s3.send(r));
    CHECK(answer.status == 403);
    CHECK(answer.header_value("x-dynabackup-keys").empty());
    CHECK(s.who.refused.empty());
  }
}

TEST_CASE("a HEAD that is refused without a word may be about an expired token") {
  struct row {
    const char* what;
    const char* token;
    const char* region;
    bool renews;
  };
  const row rows[] = {{"a temporary key", "t", "", true},
                      {"the bucket is where we think", "t", "eu-west-1", true},
                      {"the bucket is elsewhere", "t", "us-west-2", false},
                      {"a key for good", "", "", false}};
  for (const auto& row : rows) {
    CAPTURE(row.what);
    setup s;
    s.who.next = {{"AKIDFIRST", "secret", row.token, std::nullopt, "test"}};
    s.who.others = credentials{"AKIDSECOND", "secret2", "t2", std::nullopt, "test"};
    s.network.expect(nullptr, 400, "", {{"x-amz-bucket-region", row.region}});
    if (row.renews) s.network.expect(nullptr, 200, "");
    auto r = some_request("");
    r.method = "HEAD";
    CHECK(fakes::run_task(s.s3.send(r)).status == (row.renews ? 200 : 400));
    CHECK(s.who.refused.size() == (row.renews ? 1 : 0));
  }
}

TEST_CASE("a wrong clock and an expired token are both mended in one request") {
  setup s;
  s.who.others = credentials{"AKIDSECOND", "secret2", "t", std::nullopt, "test"};
  s.network.expect(nullptr, 403, "<Error><Code>RequestTimeTooSkewed</Code></Error>",
                   {{"date", "Sun, 22 Nov 2026 12:45:03 GMT"}});
  s.network.expect([](const request& r) { CHECK(value(r, "x-amz-date") == "20261122T124503Z"); }, 400,
                   "<Error><Code>ExpiredToken</Code></Error>");
  s.network.expect(
      [](const request& r) {
        CHECK(value(r, "x-amz-date") == "20261122T124503Z");
        CHECK(value(r, "x-amz-security-token") == "t");
      },
      200, "");
  auto r = some_request();
  CHECK(fakes::run_task(s.s3.send(r)).status == 200);
}

TEST_CASE("a request may name the region it is signed for") {
  setup s;
  s.network.expect(
      [](const request& r) { CHECK(value(r, "authorization").find("/us-west-2/s3/") != std::string::npos); }, 200, "");
  auto r = some_request();
  r.signing_region = "us-west-2";
  fakes::run_task(s.s3.send(r));
}
