// SigV4 against our composed cases and the S3 API Reference's worked examples (JSON), and the rules no vector holds.
#include "aws/sigv4.hpp"

#include <algorithm>
#include <charconv>
#include <doctest/doctest.h>
#include <optional>
#include <simdjson.h>
#include <string>

#include "crypto/sha256.hpp"
#include "fakes/test_data.hpp"
#include "text/codecs.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using simdjson::dom::element;

namespace {

std::string text_of(simdjson::simdjson_result<element> value) { return std::string(std::string_view(value)); }

std::string text_or_empty(simdjson::simdjson_result<element> value) {
  std::string_view text;
  return value.get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

bool has(element object, std::string_view key) { return object.at_key(key).error() == simdjson::SUCCESS; }

/// "name" or "name:port", in a scheme where that is the Host header to send.
origin origin_of(const std::string& host_header) {
  const std::size_t colon = host_header.find(':');
  origin to{.tls = true, .host = host_header.substr(0, colon), .port = 443};
  if (colon != std::string::npos) {
    to.port = static_cast<std::uint16_t>(std::stoi(host_header.substr(colon + 1)));
    to.tls = to.port == 80;
  }
  REQUIRE(to.host_header() == host_header);
  return to;
}

request request_of(element described) {
  request r;
  r.method = text_of(described["method"]);
  r.to = origin_of(text_of(described["host"]));
  r.target = text_of(described["wire_path"]);
  const std::string query = text_or_empty(described["wire_query"]);
  if (!query.empty()) r.target += "?" + query;
  for (const element pair : described["headers"].get_array())
    r.headers.push_back({text_of(pair.at(0)), text_of(pair.at(1))});
  r.body = text_or_empty(described["body"]);
  return r;
}

credentials credentials_of(element described) {
  credentials who;
  who.access_key_id = text_of(described["access_key_id"]);
  who.secret_access_key = text_of(described["secret_access_key"]);
  who.session_token = text_or_empty(described["session_token"]);
  return who;
}

sigv4::rules rules_of(element options) {
  return {.double_encode_path = bool(options["double_encode_path"]),
          .normalize_path = bool(options["normalize_path"]),
          .content_sha256_header = bool(options["content_sha256_header"])};
}

std::vector<header> with_host(const request& r) {
  std::vector<header> headers = r.headers;
  headers.push_back({"Host", r.to.host_header()});
  return headers;
}

std::string header_of(const request& r, std::string_view name) {
  const auto found = std::ranges::find(r.headers, name, &header::name);
  return found == r.headers.end() ? "(absent)" : found->value;
}

/// The comma between the parts of Authorization may have a space behind it or not.
std::string without_space_after_comma(std::string text) {
  for (std::size_t at = 0; (at = text.find(", ", at)) != std::string::npos;) text.erase(at + 1, 1);
  return text;
}

struct setting {
  credentials who;
  sigv4::scope where;
  sigv4::rules dialect;
};

void check_stages(const sigv4::canonical& form, const setting& with, element expected) {
  CHECK(form.request == text_of(expected["canonical_request"]));
  CHECK(sigv4::string_to_sign(with.where, form.request) == text_of(expected["string_to_sign"]));
  const auto key = sigv4::signing_key(with.who.secret_access_key, with.where);
  CHECK(sigv4::signature(key, text_of(expected["string_to_sign"])) == text_of(expected["signature"]));
}

void check_header_form(request r, const setting& with, element expected) {
  const std::string payload_hash = text_of(expected["payload_hash"]);
  const bool is_digest = payload_hash.size() == 64;
  if (is_digest) CHECK(crypto::sha256_hex(r.body) == payload_hash);
  sigv4::sign(r, with.who, with.where, payload_hash, with.dialect);
  check_stages(sigv4::canonical_request(r.method, r.target, with_host(r), payload_hash, with.dialect), with, expected);
  CHECK(without_space_after_comma(header_of(r, "Authorization")) ==
        without_space_after_comma(text_of(expected["authorization"])));
}

/// A presigned case gives the query as it is signed; what presign() adds is taken off it before asking presign().
void check_query_form(request r, const setting& with, element expected) {
  const std::string payload_hash = text_of(expected["payload_hash"]);
  check_stages(sigv4::canonical_request(r.method, r.target, with_host(r), payload_hash, with.dialect), with, expected);

  const std::string full_target = r.target;
  const std::size_t added = full_target.find("X-Amz-Algorithm=");
  REQUIRE(added != std::string::npos);
  r.target.resize(added - 1);
  const std::size_t expires_at = full_target.find("X-Amz-Expires=") + std::string_view("X-Amz-Expires=").size();
  int expires = 0;
  std::from_chars(full_target.data() + expires_at, full_target.data() + full_target.size(), expires);
  const std::string presigned = sigv4::presign(r, with.who, with.where, expires, payload_hash, with.dialect);
  CHECK(presigned.ends_with("&X-Amz-Signature=" + text_of(expected["signature"])));
  CHECK(presigned.starts_with(r.target));
}

void check_case(element described, const setting& with) {
  CAPTURE(text_of(described["id"]));
  const request r = request_of(described["request"]);
  const element expected = described["expected"];
  if (has(expected, "authorization"))
    check_header_form(r, with, expected);
  else
    check_query_form(r, with, expected);
}

/// What follows the header signature in a chunked upload: the same key signs each chunk's string and the trailer's.
void check_chunk_signatures(element described, const setting& with) {
  if (!has(described, "chunks")) return;
  const auto key = sigv4::signing_key(with.who.secret_access_key, with.where);
  for (const element chunk : described["chunks"].get_array())
    CHECK(sigv4::signature(key, text_of(chunk["string_to_sign"])) == text_of(chunk["signature"]));
  if (has(described, "trailer"))
    CHECK(sigv4::signature(key, text_of(described["trailer"]["string_to_sign"])) ==
          text_of(described["trailer"]["signature"]));
}

void check_composed(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const element all = parser.load(file.string());
  std::size_t cases = 0;
  for (const element one : all["cases"].get_array()) {
    const sigv4::scope where{text_of(one["region"]), text_of(one["service"]), text_of(one["timestamp"])};
    check_case(one, {credentials_of(one["credentials"]), where, rules_of(one["options"])});
    ++cases;
  }
  REQUIRE(cases > 0);
}

void check_worked_examples(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const element all = parser.load(file.string());
  const sigv4::scope where{text_of(all["region"]), text_of(all["service"]), text_of(all["timestamp"])};
  const setting with{credentials_of(all["credentials"]), where, sigv4::s3_rules};
  std::size_t cases = 0;
  for (const element one : all["examples"].get_array()) {
    check_case(one, with);
    check_chunk_signatures(one, with);
    ++cases;
  }
  REQUIRE(cases > 0);
  for (const element one : all["signing_key_examples"].get_array()) {
    const sigv4::scope of{text_of(one["region"]), text_of(one["service"]), text_of(one["date"]) + "T000000Z"};
    CHECK(text::hex(crypto::as_bytes(sigv4::signing_key(text_of(one["secret"]), of))) ==
          text_of(one["signing_key_hex"]));
  }
}

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

}  // namespace

TEST_CASE("our composed cases sign as they should, stage by stage") {
  check_composed(fakes::own_data("sigv4/composed-cases.json"));
  if (const auto more = fakes::public_data("sigv4/composed-cases.json")) check_composed(*more);
}

TEST_CASE("the S3 API Reference's worked examples sign as documented, stage by stage") {
  check_worked_examples(fakes::own_data("sigv4/s3-worked-examples.json"));
  if (const auto more = fakes::public_data("sigv4/s3-worked-examples.json")) check_worked_examples(*more);
}

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
