#include "aws/sigv4.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <string>

#include "crypto/sha256.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

const sigv4::scope march{"eu-west-1", "dynamodb", "20260314T151617Z"};

credentials example() {
  return {
      .access_key_id = "AKID", .secret_access_key = "secret", .session_token = "token", .expires = {}, .source = {}};
}

request post() {
  request r;
  r.method = "POST";
  r.to = {.tls = true, .host = "h.example", .port = 443};
  return r;
}

std::string signed_names(const std::vector<header>& headers) {
  return sigv4::canonical_request("GET", "/", headers, "", sigv4::dynamodb_rules).signed_headers;
}

std::string header_of(const request& r, std::string_view name) {
  const auto found = std::ranges::find(r.headers, name, &header::name);
  return found == r.headers.end() ? "(absent)" : found->value;
}

}  // namespace

TEST_CASE("a second attempt replaces all that the first one set") {
  request r = post();
  r.headers = {{"Content-Type", "application/x-amz-json-1.0"}};
  sigv4::sign(r, example(), march, sigv4::unsigned_payload, sigv4::s3_rules);

  credentials long_lived = example();
  long_lived.session_token.clear();
  const sigv4::scope later{"eu-west-1", "dynamodb", "20260315T000001Z"};
  sigv4::sign(r, long_lived, later, crypto::sha256_hex(""), sigv4::s3_rules);

  request once = post();
  once.headers = {{"Content-Type", "application/x-amz-json-1.0"}};
  sigv4::sign(once, long_lived, later, crypto::sha256_hex(""), sigv4::s3_rules);
  CHECK(header_of(r, "Authorization") == header_of(once, "Authorization"));
  CHECK(header_of(r, "X-Amz-Date") == "20260315T000001Z");
  CHECK(header_of(r, "x-amz-content-sha256") == crypto::sha256_hex(""));
  CHECK(header_of(r, "X-Amz-Security-Token") == "(absent)");
  CHECK(r.headers.size() == once.headers.size());
}

TEST_CASE("a token that is not signed is sent all the same") {
  sigv4::rules dialect;
  dialect.omit_session_token = true;
  request r = post();
  sigv4::sign(r, example(), march, crypto::sha256_hex(""), dialect);
  CHECK(header_of(r, "X-Amz-Security-Token") == "token");
  CHECK(header_of(r, "Authorization").find("SignedHeaders=host;x-amz-date, ") != std::string::npos);
}

TEST_CASE("what connections and proxies change is never signed") {
  for (const std::string name :
       {"Connection", "Expect", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
        "Transfer-Encoding", "Upgrade", "User-Agent", "X-Amzn-Trace-Id", "Authorization"}) {
    CAPTURE(name);
    CHECK(signed_names({{"Host", "h"}, {name, "x"}}) == "host");
  }
  CHECK(signed_names({{"X-B", "1"}, {"content-type", "t"}, {"x-a", "2"}, {"HOST", "h"}}) ==
        "content-type;host;x-a;x-b");
}

TEST_CASE("headers of one name are joined in the order they are sent, however many others there are") {
  std::vector<header> headers;
  for (int i = 0; i < 40; ++i) {
    headers.push_back({i % 2 == 0 ? "X-Same" : "x-same", std::to_string(39 - i)});
    headers.push_back({"X-" + std::to_string(i), "v"});
  }
  std::string joined;
  for (int i = 39; i >= 0; --i) joined += std::to_string(i) + (i > 0 ? "," : "");
  const sigv4::canonical form = sigv4::canonical_request("GET", "/", headers, "", sigv4::dynamodb_rules);
  CHECK(form.request.find("\nx-same:" + joined + "\n") != std::string::npos);
}

TEST_CASE("header values are trimmed and their inner white space is one space") {
  const auto form = sigv4::canonical_request(
      "GET", "/", {{"a", ""}, {"b", "   "}, {"c", " \t x \t\t y "}, {"d", ""}, {"d", "z"}}, "", sigv4::dynamodb_rules);
  CHECK(form.request.find("\na:\nb:\nc:x y\nd:,z\n\na;b;c;d\n") != std::string::npos);
}

TEST_CASE("paths and queries become canonical by the dialect") {
  struct row {
    std::string target, aws, s3;
  };
  const std::vector<row> rows = {
      {"", "/\n", "/\n"},
      {"/", "/\n", "/\n"},
      {"?a", "/\na=", "/\na="},
      {"/a//b/./c/../d/", "/a/b/d/\n", "/a//b/./c/../d/\n"},
      {"/../../x", "/x\n", "/../../x\n"},
      {"/a/..", "/\n", "/a/..\n"},
      {"/a%20b", "/a%2520b\n", "/a%20b\n"},
      {"/k?b=2&a=1&b=1&c", "/k\na=1&b=1&b=2&c=", "/k\na=1&b=1&b=2&c="},
      {"/k?a=x%2fy&b=%7e&c=p+q&d=/", "/k\na=x%2Fy&b=~&c=p%2Bq&d=%2F", "/k\na=x%2Fy&b=~&c=p%2Bq&d=%2F"},
      {"/k?&&a==b&=v&", "/k\n=v&a=%3Db", "/k\n=v&a=%3Db"},
      {"/k?", "/k\n", "/k\n"},
      {"/k?a=?b", "/k\na=%3Fb", "/k\na=%3Fb"},
      {"/k?versionId=aZ09-._~", "/k\nversionId=aZ09-._~", "/k\nversionId=aZ09-._~"},
      {"/k?=v", "/k\n=v", "/k\n=v"},
      {"/k?a==", "/k\na=%3D", "/k\na=%3D"},
      {"/k?a=\xe9", "/k\na=%E9", "/k\na=%E9"},
      // '-' sorts before '=' would: names are compared first, whole.
      {"/k?ab=1&a-b=1&a=2", "/k\na=2&a-b=1&ab=1", "/k\na=2&a-b=1&ab=1"},
  };
  for (const row& r : rows) {
    CAPTURE(r.target);
    CHECK(sigv4::canonical_request("GET", r.target, {}, "h", sigv4::dynamodb_rules).request ==
          "GET\n" + r.aws + "\n\n\nh");
    CHECK(sigv4::canonical_request("GET", r.target, {}, "h", sigv4::s3_rules).request == "GET\n" + r.s3 + "\n\n\nh");
  }
}

TEST_CASE("a key cache gives what signing_key gives, whatever changes") {
  sigv4::key_cache keys;
  const auto check = [&](const std::string& secret, const sigv4::scope& where) {
    CHECK(keys.of(secret, where) == sigv4::signing_key(secret, where));
    CHECK(keys.of(secret, where) == sigv4::signing_key(secret, where));
  };
  check("one", march);
  check("one", {"eu-west-1", "dynamodb", "20260314T235959Z"});
  check("two", march);
  check("two", {"eu-west-1", "dynamodb", "20260315T000000Z"});
  check("two", {"eu-west-2", "dynamodb", "20260315T000000Z"});
  check("two", {"eu-west-2", "s3", "20260315T000000Z"});
  check("", {"", "", ""});

  request with_cache = post();
  request without = post();
  sigv4::sign(with_cache, example(), march, "h", sigv4::dynamodb_rules, &keys);
  sigv4::sign(without, example(), march, "h", sigv4::dynamodb_rules);
  CHECK(header_of(with_cache, "Authorization") == header_of(without, "Authorization"));
}

TEST_CASE("a presigned target keeps its own query in front") {
  request r = post();
  r.target = "/b/k?versionId=3";
  const std::string target = sigv4::presign(r, example(), march, 60, sigv4::unsigned_payload, sigv4::s3_rules);
  CHECK(target.starts_with("/b/k?versionId=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKID%2F20260314%2F"));
  CHECK(target.find("&X-Amz-Expires=60&X-Amz-Security-Token=token&X-Amz-Signature=") != std::string::npos);
}
