#include "aws/sigv4.hpp"

#include <algorithm>
#include <utility>

#include "aws/canonical_request.hpp"
#include "crypto/sha256.hpp"
#include "text/codecs.hpp"
#include "text/hex.hpp"

namespace dynabackup::aws::sigv4 {
namespace {

constexpr std::string_view authorization_header = "Authorization";
constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view date_header = "X-Amz-Date";
constexpr std::string_view token_header = "X-Amz-Security-Token";
constexpr std::string_view hash_header = "x-amz-content-sha256";

void append_scope(std::string& out, const scope& where) {
  (((((out += where.date()) += '/') += where.region) += '/') += where.service) += "/aws4_request";
}

void append_string_to_sign(std::string& out, const scope& where, const crypto::digest& request_hash) {
  (((out += algorithm) += '\n') += where.timestamp) += '\n';
  append_scope(out, where);
  out += '\n';
  text::append_hex(out, crypto::as_bytes(request_hash));
}

void drop_signature(request& r) {
  std::erase_if(r.headers, [](const header& h) {
    return same_name(h.name, authorization_header) || same_name(h.name, token_header) || same_name(h.name, hash_header);
  });
}

/// Of the texts of a signature only Authorization is kept: the two that are hashed stand behind it while they are.
std::string authorization(const credentials& who, const scope& where, const crypto::hmac_key& key,
                          const signed_parts& parts, const rules& dialect) {
  constexpr std::size_t usual_length = 1200;
  std::string out;
  out.reserve(usual_length + parts.target.size() + who.session_token.size());
  ((out += algorithm) += " Credential=") += who.access_key_id;
  out += '/';
  append_scope(out, where);
  out += ", SignedHeaders=";
  append_names(out, parts.headers);
  out += ", Signature=";

  const std::size_t length = out.size();
  const auto appended = [&] { return std::string_view(out).substr(length); };
  append_canonical_request(out, parts, dialect);
  const crypto::digest request_hash = crypto::sha256(appended());
  out.resize(length);
  append_string_to_sign(out, where, request_hash);
  const crypto::digest signature = key.sign(appended());
  out.resize(length);
  text::append_hex(out, crypto::as_bytes(signature));
  return out;
}

}  // namespace

std::string scope::text() const {
  std::string out;
  append_scope(out, *this);
  return out;
}

canonical canonical_request(std::string_view method, std::string_view target, const std::vector<header>& headers,
                            std::string_view payload_hash, const rules& dialect) {
  const signed_headers entries = signable(headers, {});
  canonical out;
  append_canonical_request(out.request, {method, target, entries, payload_hash}, dialect);
  append_names(out.signed_headers, entries);
  return out;
}

std::string string_to_sign(const scope& where, std::string_view canonical_request) {
  std::string out;
  append_string_to_sign(out, where, crypto::sha256(canonical_request));
  return out;
}

std::array<unsigned char, 32> signing_key(std::string_view secret, const scope& where) {
  using crypto::as_bytes;
  using crypto::hmac_sha256;
  const crypto::digest date_key = hmac_sha256("AWS4" + std::string(secret), where.date());
  const crypto::digest region_key = hmac_sha256(as_bytes(date_key), where.region);
  const crypto::digest service_key = hmac_sha256(as_bytes(region_key), where.service);
  return hmac_sha256(as_bytes(service_key), "aws4_request");
}

std::string signature(const crypto::hmac_key& key, std::string_view string_to_sign) {
  return text::hex(crypto::as_bytes(key.sign(string_to_sign)));
}

const crypto::hmac_key& key_cache::of(std::string_view secret, const scope& where) {
  const bool fresh =
      key_ && secret_ == secret && date_ == where.date() && region_ == where.region && service_ == where.service;
  if (!fresh) {
    key_ = signing_key(secret, where);
    secret_ = secret;
    date_ = where.date();
    region_ = where.region;
    service_ = where.service;
  }
  return *key_;
}

void sign(request& r, const credentials& who, const scope& where, std::string_view payload_hash, const rules& dialect,
          key_cache* keys) {
  constexpr std::size_t most_added = 4;
  drop_signature(r);
  r.headers.reserve(r.headers.size() + most_added);
  r.set_header(date_header, where.timestamp);
  if (dialect.content_sha256_header) r.set_header(hash_header, std::string(payload_hash));
  if (!who.session_token.empty() && !dialect.omit_session_token) r.set_header(token_header, who.session_token);

  key_cache for_this_request;
  const auto& key = (keys != nullptr ? *keys : for_this_request).of(who.secret_access_key, where);
  const std::string host = r.to.host_header();
  const signed_headers headers = signable(r.headers, host);
  r.set_header(authorization_header,
               authorization(who, where, key, {r.method, r.target, headers, payload_hash}, dialect));
  if (!who.session_token.empty() && dialect.omit_session_token) r.set_header(token_header, who.session_token);
}

std::string presign(const request& r, const credentials& who, const scope& where, int expires_seconds,
                    std::string_view payload_hash, const rules& dialect) {
  const std::string host = r.to.host_header();
  const signed_headers headers = signable(r.headers, host);
  std::string names;
  append_names(names, headers);
  std::string target = r.target;
  const auto add = [&target](std::string_view name, std::string_view value) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    ((target += name) += '=') += text::percent_encode(value);
  };
  add("X-Amz-Algorithm", algorithm);
  add("X-Amz-Credential", who.access_key_id + "/" + where.text());
  add(date_header, where.timestamp);
  add("X-Amz-SignedHeaders", names);
  add("X-Amz-Expires", std::to_string(expires_seconds));
  if (!who.session_token.empty() && !dialect.omit_session_token) add(token_header, who.session_token);

  std::string request;
  append_canonical_request(request, {r.method, target, headers, payload_hash}, dialect);
  if (!who.session_token.empty() && dialect.omit_session_token) add(token_header, who.session_token);
  add("X-Amz-Signature", signature(signing_key(who.secret_access_key, where), string_to_sign(where, request)));
  return target;
}

}  // namespace dynabackup::aws::sigv4
