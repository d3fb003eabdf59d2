#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "dynabackup/error.hpp"
#include "dynabackup/s3_location.hpp"
#include "dynabackup/shared_config.hpp"

using namespace dynabackup;
using namespace std::string_literals;

namespace {

service_failure denied() {
  return {.operation = "PutObject",
          .resource = "bucket/key",
          .status = 403,
          .code = "AccessDenied",
          .message = "Access Denied.",
          .request_id = "ID1",
          .attempts = 3};
}

std::string what(const service_failure& f) { return service_error(f).what(); }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("an S3 location's prefix ends with a slash or is empty") {
  CHECK(s3_location::of("b", "").prefix == "");
  CHECK(s3_location::of("b", "p").prefix == "p/");
  CHECK(s3_location::of("b", "p/q/").prefix == "p/q/");
  CHECK(s3_location::of("b", "p").key("x") == "p/x");
  CHECK(s3_location::of("b", "p").text() == "s3://b/p/");
}

TEST_CASE("a service error says what was done, on what, what was answered and what to do next") {
  CHECK(what(denied()) ==
        "PutObject on bucket/key: AccessDenied (HTTP 403, request id ID1, after 3 attempts): Access Denied. "
        "Check that IAM and the resource's own policy allow these credentials s3:PutObject");
}

TEST_CASE("a service error leaves out what is not known") {
  service_failure bare;
  bare.operation = "Scan";
  bare.status = 500;
  bare.code = "InternalServerError";
  CHECK(what(bare) == "Scan: InternalServerError (HTTP 500)");
}

TEST_CASE("well-known codes come with advice") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"AccessDenied", "s3:PutObject"},
      {"AccessDeniedException", "s3:PutObject"},
      {"ExpiredToken", "renew"},
      {"ExpiredTokenException", "renew"},
      {"InvalidAccessKeyId", "access key"},
      {"UnrecognizedClientException", "access key"},
      {"SignatureDoesNotMatch", "access key"},
      {"InvalidSignatureException", "clock"},
      {"RequestTimeTooSkewed", "clock"},
      {"NoSuchBucket", "bucket's name"},
      {"ResourceNotFoundException", "region"},
      {"InvalidToken", "renew"},
      {"TokenRefreshRequired", "renew"},
      {"InvalidClientTokenId", "access key"},
      {"ConditionalRequestConflict", "run it again"},
      {"PermanentRedirect", "S3_REGION"},
      {"AuthorizationHeaderMalformed", "S3_REGION"},
  };
  for (const auto& [code, advice] : rows) {
    CAPTURE(code);
    service_failure f = denied();
    f.code = code;
    f.message.clear();
    const std::string text = what(f);
    const std::string facts = "PutObject on bucket/key: " + code + " (HTTP 403, request id ID1, after 3 attempts). ";
    REQUIRE(text.starts_with(facts));
    CHECK(has(text.substr(facts.size()), advice));
  }
}

TEST_CASE("refused credentials are named by their source") {
  service_failure f = denied();
  f.code = "ExpiredToken";
  f.keys = "profile a (/home/me/.aws/credentials)\nx";
  CHECK(what(f).ends_with("renew them where they come from. Keys in use: profile a (/home/me/.aws/credentials) x"));
}

TEST_CASE("the advice for a refused call names the IAM action, not the call") {
  service_failure f = denied();
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"ListObjectsV2", "s3:ListBucket"},
      {"HeadObject", "s3:GetObject"},
      {"UploadPart", "s3:PutObject"},
      {"Scan", "dynamodb:Scan"},
      {"DescribeTable", "dynamodb:DescribeTable"},
      {"AssumeRole", "sts:AssumeRole"},
      {"DescribeLimits", "DescribeLimits"},
  };
  for (const auto& [operation, action] : rows) {
    f.operation = operation;
    CHECK(has(what(f), "allow these credentials " + action));
  }
}

TEST_CASE("the canonical request that DynamoDB shows after a wrong signature does not get into a message") {
  const std::string head = "The request signature we calculated does not match the signature you provided.";
  for (const std::string between : {"\n\n", " ", "\r\n"}) {
    service_failure f = denied();
    f.message = "  " + head + between + "The Canonical String for this request should have been\n'POST\n/\n\n" +
                "x-amz-security-token:SECRET\n'";
    const service_error e(f);
    CHECK_FALSE(has(e.what(), "SECRET"));
    CHECK_FALSE(has(e.failure.message, "SECRET"));
    CHECK(e.failure.message == head);
  }
}

TEST_CASE("a service's text is one printable line of bounded length") {
  service_failure f = denied();
  f.code = "Some\x1b[31mCode";
  f.message = "a\tb\x1b]0;title\x07\0c"s;
  f.resource = "bucket/k\ney";
  const std::string text = what(f);
  for (const char c : text) CHECK(static_cast<unsigned char>(c) >= 0x20);

  f.message = std::string(499, 'x') + "\xe2\x82\xac" + std::string(1000, 'y');
  CHECK(service_error(f).failure.message == std::string(499, 'x'));
  f.message = std::string(5000, '\xbf');
  CHECK(service_error(f).failure.message.size() <= 500);
}

TEST_CASE("the facts stay as they were") {
  const service_error e(denied());
  CHECK(e.failure.operation == "PutObject");
  CHECK(e.failure.status == 403);
  CHECK(e.failure.code == "AccessDenied");
  CHECK(e.failure.request_id == "ID1");
  CHECK(e.failure.attempts == 3);
}

TEST_CASE("a front end reads the selected profile and its services section by one function") {
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("shared_config_" + std::to_string(getpid()));
  std::ofstream(file)
      << "[profile p]\nregion = eu-west-1\nservices = s\n[services s]\ndynamodb =\n  endpoint_url = http://x:1\n";
  credential_settings who;
  who.profile = "p";
  who.environment = [&](const std::string& name) -> std::optional<std::string> {
    if (name == "AWS_CONFIG_FILE") return file.string();
    if (name == "AWS_SHARED_CREDENTIALS_FILE") return file.string() + ".none";
    return std::nullopt;
  };
  CHECK(shared_config_value(who, "region") == "eu-west-1");
  CHECK(shared_config_value(who, "dynamodb.endpoint_url") == "http://x:1");
  CHECK(shared_config_value(who, "s3.endpoint_url") == std::nullopt);
  CHECK(shared_config_value(who, "ca_bundle") == std::nullopt);
  std::filesystem::remove(file);
}
