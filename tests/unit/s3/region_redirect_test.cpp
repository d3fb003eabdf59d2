#include "s3/region_redirect.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <string>
#include <vector>

#include "unit/s3/exchange.hpp"

namespace dynabackup::s3 {
namespace {

using fakes::run_task;

request asked(std::string method = "GET", std::string host = "bucket.s3.eu-west-1.amazonaws.com") {
  request r;
  r.method = std::move(method);
  r.to = {true, std::move(host), 443};
  r.target = "/a%20b?x=y";
  r.signing_region = "eu-west-1";
  return r;
}

response answered(int status, std::string body = {}, std::vector<header> headers = {}) {
  response out;
  out.status = status;
  out.body = std::move(body);
  out.headers = std::move(headers);
  return out;
}

std::string error_with(std::string_view code, std::string_view more = {}) {
  return "<Error><Code>" + std::string(code) + "</Code>" + std::string(more) + "</Error>";
}

std::vector<header> names_region(std::string region) { return {{"x-amz-bucket-region", std::move(region)}}; }

/// A client of AWS itself, in eu-west-1.
struct aws_fixture {
  fakes::scripted_transport network;
  client objects{network, [] {
                   client_settings settings;
                   settings.region = "eu-west-1";
                   return settings;
                 }()};

  void expect(std::string method, std::string host, std::string region, int status, std::string body = {},
              std::vector<header> headers = {}) {
    headers.push_back({"ETag", "\"e\""});
    network.expect(
        [=](const request& r) {
          CHECK(r.method == method);
          CHECK(r.to == origin{true, host, 443});
          CHECK(r.signing_region == region);
        },
        status, std::move(body), std::move(headers));
  }
  put_result put() { return run_task(objects.put_object("bucket", "k", "body", {})); }
};

constexpr const char* here = "bucket.s3.eu-west-1.amazonaws.com";
constexpr const char* there = "bucket.s3.us-west-2.amazonaws.com";

}  // namespace

TEST_CASE("what tells of a wrong region, and what does not") {
  struct row {
    const char* method;
    int status;
    std::string body;
    std::string region;
    bool expected;
  };
  const row rows[] = {
      {"GET", 301, error_with("PermanentRedirect"), "", true},
      {"HEAD", 301, "", "", true},
      {"PUT", 307, error_with("TemporaryRedirect"), "", true},
      {"GET", 400, error_with("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>"), "", true},
      {"GET", 400, error_with("AuthorizationHeaderMalformed"), "us-west-2", true},
      {"GET", 400, error_with("AuthorizationHeaderMalformed"), "", false},
      {"PUT", 400, error_with("IllegalLocationConstraintException"), "", true},
      {"HEAD", 400, "", "", true},
      {"GET", 400, "", "us-west-2", false},
      {"GET", 400, error_with("InvalidRequest"), "us-west-2", false},
      {"GET", 403, error_with("AccessDenied"), "us-west-2", false},
      {"HEAD", 403, "", "us-west-2", false},
      {"GET", 200, "", "us-west-2", false},
      {"GET", 404, error_with("NoSuchBucket"), "", false},
  };
  for (const auto& r : rows) {
    CAPTURE(r.method);
    CAPTURE(r.status);
    CAPTURE(r.body);
    CHECK(is_misdirected(asked(r.method), answered(r.status, r.body, names_region(r.region))) == r.expected);
  }
}

TEST_CASE("the region is the header's, else the body's, and fit for a host name") {
  const auto body = [](std::string_view region) {
    return error_with("AuthorizationHeaderMalformed", "<Region>" + std::string(region) + "</Region>");
  };
  CHECK(region_named_by(answered(301, body("us-east-2"), names_region("us-west-2"))) == "us-west-2");
  CHECK(region_named_by(answered(400, body("us-east-2"))) == "us-east-2");
  CHECK(region_named_by(answered(400, "not XML")).empty());
  for (const char* no : {"", "US-EAST-1", "us east", "evil.example/", "us-east-1.evil.example", "-x", "x-", "1a", "a_b",
                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "a\r\nb"}) {
    CAPTURE(no);
    CHECK(region_named_by(answered(301, "", names_region(no))).empty());
    CHECK(region_named_by(answered(400, body(no))).empty());
  }
}

TEST_CASE("a temporary redirect is followed to S3's own hosts only") {
  const auto led = [](std::string location, const request& r) {
    return temporary_host(r, answered(307, "", {{"Location", std::move(location)}}));
  };
  const request r = asked();
  CHECK(led("https://bucket.s3-us-west-2.amazonaws.com/a%20b?x=y", r) ==
        origin{true, "bucket.s3-us-west-2.amazonaws.com", 443});
  CHECK(led("https://bucket.s3.us-west-2.amazonaws.com/a%20b?x=y", r) == origin{true, there, 443});
  CHECK(led("https://s3-us-west-2.amazonaws.com/a%20b?x=y", asked("GET", "s3.eu-west-1.amazonaws.com")) ==
        origin{true, "s3-us-west-2.amazonaws.com", 443});
  for (const char* location :
       {"", "/a%20b?x=y", "http://bucket.s3-us-west-2.amazonaws.com/a%20b?x=y",
        "https://bucket.s3.example.com/a%20b?x=y", "https://bucket.s3-us-west-2.amazonaws.com.evil.example/a%20b?x=y",
        "https://bucket.s3-us-west-2.amazonaws.com@evil.example/a%20b?x=y",
        "https://bucket.s3-us-west-2.amazonaws.com:444/a%20b?x=y",
        "https://bucket.s3-us-west-2.amazonaws.com.cn/a%20b?x=y", "https://other.s3-us-west-2.amazonaws.com/a%20b?x=y",
        "https://bucket.ec2.us-west-2.amazonaws.com/a%20b?x=y", "https://bucket.s3-us-west-2.amazonaws.com/other",
        "https://bucket.amazonaws.com/a%20b?x=y", "https://bucket.s3-us-west-2.evilamazonaws.com/a%20b?x=y",
        "https:///a%20b?x=y"}) {
    CAPTURE(location);
    CHECK_FALSE(led(location, r));
  }
  CHECK_FALSE(led("https://store.test/a%20b?x=y", asked("GET", "store.test")));
  CHECK_FALSE(
      temporary_host(r, answered(301, "", {{"Location", "https://bucket.s3-us-west-2.amazonaws.com/a%20b?x=y"}})));
}

TEST_CASE_FIXTURE(aws_fixture, "a bucket in another region is followed there, signed for it, and remembered") {
  expect("PUT", here, "eu-west-1", 301, error_with("PermanentRedirect"), names_region("us-west-2"));
  expect("PUT", there, "us-west-2", 200);
  CHECK(put().stored);
  expect("PUT", there, "us-west-2", 200);
  CHECK(put().stored);
  network.expect([](const request& r) { CHECK(r.to.host == "other.s3.eu-west-1.amazonaws.com"); }, 404, "");
  CHECK_FALSE(run_task(objects.head_object("other", "k")));
}

TEST_CASE_FIXTURE(aws_fixture, "a region that the answer does not name is asked of the bucket") {
  expect("PUT", here, "eu-west-1", 400, error_with("IllegalLocationConstraintException"));
  expect("HEAD", here, "eu-west-1", 403, "", names_region("us-west-2"));
  expect("PUT", there, "us-west-2", 200);
  CHECK(put().stored);
}

TEST_CASE_FIXTURE(aws_fixture, "a HEAD that is refused without a word is looked into") {
  expect("HEAD", here, "eu-west-1", 400);
  expect("HEAD", here, "eu-west-1", 301, "", names_region("us-west-2"));
  expect("HEAD", there, "us-west-2", 404);
  CHECK_FALSE(run_task(objects.head_object("bucket", "k")));
}

TEST_CASE_FIXTURE(aws_fixture, "where no better place is known, the refusal itself is told") {
  expect("HEAD", here, "eu-west-1", 400);
  expect("HEAD", here, "eu-west-1", 400, "", names_region("eu-west-1"));
  CHECK(failure_of([&] { run_task(objects.head_object("bucket", "k")); }).status == 400);
  expect("PUT", here, "eu-west-1", 301, error_with("PermanentRedirect"));
  expect("HEAD", here, "eu-west-1", 301);
  CHECK(failure_of([&] { put(); }).code == "PermanentRedirect");
  expect("PUT", here, "eu-west-1", 301, error_with("PermanentRedirect"), names_region("cn-north-1"));
  CHECK_MESSAGE(failure_of([&] { put(); }).code == "PermanentRedirect", "no other partition is followed to");
}

TEST_CASE_FIXTURE(aws_fixture, "what may still take effect is told of, also when the answer comes from elsewhere") {
  response lost = answered(301, error_with("PermanentRedirect"), names_region("us-west-2"));
  lost.unsettled = true;
  network.expect_answer(nullptr, std::move(lost));
  expect("PUT", there, "us-west-2", 200);
  CHECK(put().unsettled);
  expect("PUT", there, "us-west-2", 200);
  CHECK_FALSE(put().unsettled);
}

TEST_CASE_FIXTURE(aws_fixture, "a circle of redirects ends after one hop with a clear error") {
  expect("PUT", here, "eu-west-1", 301, error_with("PermanentRedirect"), names_region("us-west-2"));
  expect("PUT", there, "us-west-2", 301, error_with("PermanentRedirect"), names_region("eu-west-1"));
  CHECK_THROWS_WITH_AS(put(),
                       "S3 sends requests for bucket bucket from one region to the next and answers them in none (the "
                       "last was us-west-2): set S3_REGION to the bucket's region",
                       error);
  CHECK(network.requests == 2);
}

TEST_CASE_FIXTURE(aws_fixture, "a refusal at the right place is told as it is") {
  expect("PUT", here, "eu-west-1", 301, error_with("PermanentRedirect"), names_region("us-west-2"));
  expect("PUT", there, "us-west-2", 403, error_with("AccessDenied"));
  CHECK(failure_of([&] { put(); }).code == "AccessDenied");
}

TEST_CASE_FIXTURE(aws_fixture, "a temporary redirect holds for one request") {
  expect("PUT", here, "eu-west-1", 307, error_with("TemporaryRedirect"),
         {{"Location", "https://bucket.s3-eu-west-1.amazonaws.com/k"}, {"x-amz-bucket-region", "eu-west-1"}});
  expect("PUT", "bucket.s3-eu-west-1.amazonaws.com", "eu-west-1", 200);
  CHECK(put().stored);
  expect("PUT", here, "eu-west-1", 200);
  CHECK(put().stored);
}

TEST_CASE_FIXTURE(fixture, "behind a custom endpoint only the signature changes its region") {
  const auto expect = [&](const std::string& region, int status, std::string body) {
    network.expect(
        [=](const request& r) {
          CHECK(r.to == origin{false, "127.0.0.1", 7480});
          CHECK(r.target == "/bucket/k");
          CHECK(r.signing_region == region);
        },
        status, std::move(body),
        {{"ETag", "\"e\""}, {"Location", "https://bucket.s3-us-west-2.amazonaws.com/bucket/k"}});
  };
  expect("eu-central-1", 400, error_with("AuthorizationHeaderMalformed", "<Region>here-1</Region>"));
  expect("here-1", 200, "");
  CHECK(run_task(objects.put_object("bucket", "k", "", {})).stored);
  expect("here-1", 307, error_with("TemporaryRedirect", "<Region>here-1</Region>"));
  CHECK(failure_of([&] { run_task(objects.put_object("bucket", "k", "", {})); }).code == "TemporaryRedirect");
}

}  // namespace dynabackup::s3
