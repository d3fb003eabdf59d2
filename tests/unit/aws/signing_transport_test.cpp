#include "aws/signing_transport.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

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
