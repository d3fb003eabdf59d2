// SigV4 against the public signing suites: a folder a case, a file a stage. They are not in this repository.
#include <algorithm>
#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>
#include <utility>

#include "aws/sigv4.hpp"
#include "crypto/sha256.hpp"
#include "fakes/test_data.hpp"
#include "text/codecs.hpp"
#include "text/timestamps.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;

namespace {

using std::filesystem::path;

std::string with_plain_line_ends(std::string text) {
  std::erase(text, '\r');
  return text;
}

/// A stage's text; some files end without a line feed, which is no part of the stage.
std::string stage(const path& file) {
  std::string text = with_plain_line_ends(fakes::file_text(file));
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

std::string next_line(std::string& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string line = rest.substr(0, end);
  rest.erase(0, end + 1);
  return line;
}

/// An HTTP/1.1 request as the suites write it: raw bytes in the target, folded header lines, Host among the headers.
request parse(std::string text) {
  text = with_plain_line_ends(std::move(text));
  request r;
  const std::string first = next_line(text);
  const std::size_t method_end = first.find(' ');
  const std::size_t version_at = first.rfind(' ');
  REQUIRE(method_end < version_at);
  r.method = first.substr(0, method_end);
  r.target = first.substr(method_end + 1, version_at - method_end - 1);
  for (std::string line = next_line(text); !line.empty(); line = next_line(text)) {
    if (line.front() == ' ' || line.front() == '\t') {
      REQUIRE_FALSE(r.headers.empty());
      r.headers.back().value += " " + line;
      continue;
    }
    const std::size_t colon = line.find(':');
    REQUIRE(colon != std::string::npos);
    r.headers.push_back({line.substr(0, colon), line.substr(colon + 1)});
  }
  r.body = text;
  return r;
}

std::string take_header(request& r, std::string_view name) {
  const auto found = std::ranges::find(r.headers, name, &header::name);
  if (found == r.headers.end()) return {};
  std::string value = found->value;
  r.headers.erase(found);
  return value;
}

void move_host(request& r) {
  const std::string host = take_header(r, "Host");
  REQUIRE_FALSE(host.empty());
  r.to = {.tls = true, .host = host, .port = 443};
}

std::vector<header> with_host(const request& r) {
  std::vector<header> headers = r.headers;
  headers.push_back({"Host", r.to.host_header()});
  return headers;
}

std::string trimmed(const std::string& text) {
  const std::size_t first = text.find_first_not_of(' ');
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(' ') + 1 - first);
}

/// Headers by name, in whatever order they were added; those of one name keep their order.
std::vector<std::pair<std::string, std::string>> by_name(const std::vector<header>& headers) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const header& h : headers) {
    std::string name = h.name;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    out.emplace_back(std::move(name), trimmed(h.value));
  }
  for (std::size_t i = 1; i < out.size(); ++i)
    for (std::size_t k = i; k > 0 && out[k].first < out[k - 1].first; --k) std::swap(out[k], out[k - 1]);
  return out;
}

void check_same_request(const request& got, const path& file) {
  const request wanted = parse(fakes::file_text(file));
  CHECK(got.method == wanted.method);
  CHECK(got.target == wanted.target);
  CHECK(by_name(with_host(got)) == by_name(wanted.headers));
  CHECK(got.body == wanted.body.substr(0, wanted.body.find_last_not_of('\n') + 1));
}

struct setting {
  credentials who;
  sigv4::scope where;
  sigv4::rules dialect;
  int expires_seconds = 0;
};

setting read_context(const path& file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element context = parser.load(file.string());
  setting with;
  with.who.access_key_id = std::string_view(context["credentials"]["access_key_id"]);
  with.who.secret_access_key = std::string_view(context["credentials"]["secret_access_key"]);
  std::string_view token;
  if (context["credentials"]["token"].get(token) == simdjson::SUCCESS) with.who.session_token = token;
  const auto moment = text::parse_rfc3339(std::string_view(context["timestamp"]));
  REQUIRE(moment.has_value());
  with.where = {std::string(std::string_view(context["region"])), std::string(std::string_view(context["service"])),
                text::amz_date(*moment)};
  with.dialect.normalize_path = context["normalize"];
  with.dialect.content_sha256_header = context["sign_body"];
  bool omit = false;
  if (context["omit_session_token"].get(omit) == simdjson::SUCCESS) with.dialect.omit_session_token = omit;
  with.expires_seconds = static_cast<int>(std::int64_t(context["expiration_in_seconds"]));
  return with;
}

struct stage_files {
  path canonical_request, string_to_sign;
};

void check_stages(const sigv4::canonical& form, const setting& with, const stage_files& files,
                  const std::string& signature) {
  CHECK(form.request == stage(files.canonical_request));
  CHECK(sigv4::string_to_sign(with.where, stage(files.canonical_request)) == stage(files.string_to_sign));
  const auto key = sigv4::signing_key(with.who.secret_access_key, with.where);
  CHECK(sigv4::signature(key, stage(files.string_to_sign)) == signature);
}

void check_header_form(request r, const setting& with, const path& folder) {
  const std::string payload_hash = crypto::sha256_hex(r.body);
  sigv4::sign(r, with.who, with.where, payload_hash, with.dialect);
  check_same_request(r, folder / "header-signed-request.txt");

  if (with.dialect.omit_session_token) take_header(r, "X-Amz-Security-Token");
  check_stages(sigv4::canonical_request(r.method, r.target, with_host(r), payload_hash, with.dialect), with,
               {folder / "header-canonical-request.txt", folder / "header-string-to-sign.txt"},
               stage(folder / "header-signature.txt"));
}

void check_query_form(request r, const setting& with, const path& folder) {
  const std::string payload_hash = crypto::sha256_hex(r.body);
  r.target = sigv4::presign(r, with.who, with.where, with.expires_seconds, payload_hash, with.dialect);
  check_same_request(r, folder / "query-signed-request.txt");

  const std::string first_unsigned = with.dialect.omit_session_token ? "&X-Amz-Security-Token=" : "&X-Amz-Signature=";
  const std::string signed_target = r.target.substr(0, r.target.find(first_unsigned));
  check_stages(sigv4::canonical_request(r.method, signed_target, with_host(r), payload_hash, with.dialect), with,
               {folder / "query-canonical-request.txt", folder / "query-string-to-sign.txt"},
               stage(folder / "query-signature.txt"));
}

/// The older suite states neither credentials nor scope: its keys are the published ones, the scope is in .authz.
setting infer_setting(request& r, const path& stem) {
  const std::string authorization = stage(path(stem).concat(".authz"));
  const std::size_t key_at = authorization.find("Credential=") + std::string_view("Credential=").size();
  std::string scope = authorization.substr(key_at, authorization.find(',') - key_at);
  std::vector<std::string> parts;
  for (std::size_t slash = 0; (slash = scope.find('/')) != std::string::npos; scope.erase(0, slash + 1))
    parts.push_back(scope.substr(0, slash));
  REQUIRE(parts.size() == 4);
  setting with;
  with.who.access_key_id = parts[0];
  with.who.secret_access_key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  with.where = {parts[2], parts[3], trimmed(take_header(r, "X-Amz-Date"))};
  request wanted = parse(fakes::file_text(path(stem).concat(".sreq")));
  with.who.session_token = trimmed(take_header(wanted, "X-Amz-Security-Token"));
  take_header(r, "X-Amz-Security-Token");
  with.dialect.omit_session_token = stage(path(stem).concat(".creq")).find("x-amz-security-token") == std::string::npos;
  return with;
}

}  // namespace

TEST_CASE("every case of the public suite, header and query form, stage by stage") {
  const auto suite = fakes::public_data("sigv4/v4");
  if (!suite) return;
  for (const path& folder : fakes::case_folders(*suite)) {
    CAPTURE(folder.filename().string());
    const setting with = read_context(folder / "context.json");
    request r = parse(fakes::file_text(folder / "request.txt"));
    move_host(r);
    check_header_form(r, with, folder);
    check_query_form(r, with, folder);
  }
}

TEST_CASE("every case of the older public suite, stage by stage") {
  const auto suite = fakes::public_data("sigv4/original");
  if (!suite) return;
  for (const path& folder : fakes::case_folders(*suite)) {
    const path stem = folder / folder.filename();
    CAPTURE(folder.filename().string());
    request r = parse(fakes::file_text(path(stem).concat(".req")));
    const setting with = infer_setting(r, stem);
    move_host(r);
    const std::string payload_hash = crypto::sha256_hex(r.body);
    sigv4::sign(r, with.who, with.where, payload_hash, with.dialect);
    check_same_request(r, path(stem).concat(".sreq"));

    const std::string authorization = stage(path(stem).concat(".authz"));
    CHECK(take_header(r, "Authorization") == authorization);
    if (with.dialect.omit_session_token) take_header(r, "X-Amz-Security-Token");
    check_stages(sigv4::canonical_request(r.method, r.target, with_host(r), payload_hash, with.dialect), with,
                 {path(stem).concat(".creq"), path(stem).concat(".sts")},
                 authorization.substr(authorization.rfind('=') + 1));
  }
}
