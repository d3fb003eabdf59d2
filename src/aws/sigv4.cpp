#include "aws/sigv4.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "crypto/sha256.hpp"
#include "text/codecs.hpp"

namespace dynabackup::aws::sigv4 {
namespace {

constexpr std::string_view algorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view date_header = "X-Amz-Date";
constexpr std::string_view token_header = "X-Amz-Security-Token";
constexpr std::string_view hash_header = "x-amz-content-sha256";

/// Connections and proxies may drop, add or rewrite these; and the signature cannot sign itself.
constexpr std::array<std::string_view, 12> never_signed = {
    "authorization", "connection",        "expect",  "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
    "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Trimmed at both ends, every run of white space one space, inside quotes too.
void append_trimmed(std::string& out, std::string_view value) {
  bool pending_space = false;
  bool started = false;
  for (const char c : value) {
    if (is_space(c)) {
      pending_space = started;
      continue;
    }
    if (pending_space) out += ' ';
    pending_space = false;
    started = true;
    out += c;
  }
}

/// "." and ".." resolved, empty segments dropped; a trailing '/' stays.
std::string normalized(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::string_view rest = path; !rest.empty();) {
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) (out += '/') += segment;
  if (kept.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, const rules& dialect) {
  std::string out = dialect.normalize_path ? normalized(path) : std::string(path);
  if (out.empty()) out = "/";
  return dialect.double_encode_path ? text::percent_encode(out, true) : out;
}

std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
    if (parameter.empty()) continue;
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string_view value = parameter.substr(std::min(equals + 1, parameter.size()));
    parameters.emplace_back(text::percent_encode(text::percent_decode(parameter.substr(0, equals))),
                            text::percent_encode(text::percent_decode(value)));
  }
  std::ranges::sort(parameters);
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    ((out += name) += '=') += value;
  }
  return out;
}

/// What takes part in the signature; headers of one name stay in the order they are sent in.
struct signed_header {
  std::string name;
  std::size_t position;
  std::string_view value;
};
std::vector<signed_header> signable(const std::vector<header>& headers, std::string_view host) {
  std::vector<signed_header> out;
  out.reserve(headers.size() + 1);
  for (const header& h : headers) {
    std::string name = lower(h.name);
    if (std::ranges::find(never_signed, name) == never_signed.end())
      out.push_back({std::move(name), out.size(), h.value});
  }
  if (!host.empty()) out.push_back({"host", out.size(), host});
  std::ranges::sort(out, [](const signed_header& a, const signed_header& b) {
    return std::tie(a.name, a.position) < std::tie(b.name, b.position);
  });
  return out;
}

/// The canonical headers ("name:value\n" each) and the list of their names. `host`: when not among `headers`.
struct header_block {
  std::string lines;
  std::string names;
};
header_block canonical_headers(const std::vector<header>& headers, std::string_view host) {
  header_block out;
  std::string_view previous;
  const std::vector<signed_header> entries = signable(headers, host);
  for (const signed_header& entry : entries) {
    if (entry.name == previous) {
      out.lines.back() = ',';
    } else {
      (out.lines += entry.name) += ':';
      if (!out.names.empty()) out.names += ';';
      out.names += entry.name;
      previous = entry.name;
    }
    append_trimmed(out.lines, entry.value);
    out.lines += '\n';
  }
  return out;
}

canonical assemble(std::string_view method, std::string_view target, header_block block, std::string_view payload_hash,
                   const rules& dialect) {
  const std::size_t path_end = std::min(target.find('?'), target.size());
  const std::string_view query = target.substr(std::min(path_end + 1, target.size()));
  canonical out;
  out.request.reserve(method.size() + target.size() + block.lines.size() + block.names.size() + 128);
  (out.request += method) += '\n';
  (out.request += canonical_path(target.substr(0, path_end), dialect)) += '\n';
  (out.request += canonical_query(query)) += '\n';
  (out.request += block.lines) += '\n';
  (out.request += block.names) += '\n';
  out.request += payload_hash;
  out.signed_headers = std::move(block.names);
  return out;
}

void drop_header(request& r, std::string_view name) {
  const std::string wanted = lower(name);
  std::erase_if(r.headers, [&](const header& h) { return lower(h.name) == wanted; });
}

}  // namespace

std::string scope::text() const {
  std::string out(date());
  ((((out += '/') += region) += '/') += service) += "/aws4_request";
  return out;
}

canonical canonical_request(std::string_view method, std::string_view target, const std::vector<header>& headers,
                            std::string_view payload_hash, const rules& dialect) {
  return assemble(method, target, canonical_headers(headers, {}), payload_hash, dialect);
}

std::string string_to_sign(const scope& where, std::string_view canonical_request) {
  std::string out(algorithm);
  (out += '\n') += where.timestamp;
  (out += '\n') += where.text();
  (out += '\n') += crypto::sha256_hex(canonical_request);
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

std::string signature(const std::array<unsigned char, 32>& key, std::string_view string_to_sign) {
  return text::hex(crypto::as_bytes(crypto::hmac_sha256(crypto::as_bytes(key), string_to_sign)));
}

const std::array<unsigned char, 32>& key_cache::of(std::string_view secret, const scope& where) {
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
  for (const std::string_view name : {std::string_view("Authorization"), token_header, hash_header})
    drop_header(r, name);
  r.set_header(date_header, where.timestamp);
  if (dialect.content_sha256_header) r.set_header(hash_header, std::string(payload_hash));
  if (!who.session_token.empty() && !dialect.omit_session_token) r.set_header(token_header, who.session_token);

  const canonical form =
      assemble(r.method, r.target, canonical_headers(r.headers, r.to.host_header()), payload_hash, dialect);
  key_cache for_this_request;
  const auto& key = (keys != nullptr ? *keys : for_this_request).of(who.secret_access_key, where);
  std::string authorization(algorithm);
  ((((authorization += " Credential=") += who.access_key_id) += '/') += where.text());
  (authorization += ", SignedHeaders=") += form.signed_headers;
  (authorization += ", Signature=") += signature(key, string_to_sign(where, form.request));
  r.set_header("Authorization", std::move(authorization));
  if (!who.session_token.empty() && dialect.omit_session_token) r.set_header(token_header, who.session_token);
}

std::string presign(const request& r, const credentials& who, const scope& where, int expires_seconds,
                    std::string_view payload_hash, const rules& dialect) {
  header_block block = canonical_headers(r.headers, r.to.host_header());
  std::string target = r.target;
  const auto add = [&target](std::string_view name, std::string_view value) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    ((target += name) += '=') += text::percent_encode(value);
  };
  add("X-Amz-Algorithm", algorithm);
  add("X-Amz-Credential", who.access_key_id + "/" + where.text());
  add(date_header, where.timestamp);
  add("X-Amz-SignedHeaders", block.names);
  add("X-Amz-Expires", std::to_string(expires_seconds));
  if (!who.session_token.empty() && !dialect.omit_session_token) add(token_header, who.session_token);

  const canonical form = assemble(r.method, target, std::move(block), payload_hash, dialect);
  if (!who.session_token.empty() && dialect.omit_session_token) add(token_header, who.session_token);
  add("X-Amz-Signature", signature(signing_key(who.secret_access_key, where), string_to_sign(where, form.request)));
  return target;
}

}  // namespace dynabackup::aws::sigv4
