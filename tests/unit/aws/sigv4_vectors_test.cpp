// SigV4 against our composed cases and the S3 API Reference's worked examples, a JSON file each.
#include <algorithm>
#include <charconv>
#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>

#include "aws/sigv4.hpp"
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

}  // namespace

TEST_CASE("our composed cases sign as they should, stage by stage") {
  check_composed(fakes::own_data("sigv4/composed-cases.json"));
  if (const auto more = fakes::public_data("sigv4/composed-cases.json")) check_composed(*more);
}

TEST_CASE("the S3 API Reference's worked examples sign as documented, stage by stage") {
  check_worked_examples(fakes::own_data("sigv4/s3-worked-examples.json"));
  if (const auto more = fakes::public_data("sigv4/s3-worked-examples.json")) check_worked_examples(*more);
}
