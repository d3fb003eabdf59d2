#include "aws/canonical_request.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "text/codecs.hpp"

namespace dynabackup::aws::sigv4 {
namespace {

/// Connections and proxies may drop, add or rewrite these; and the signature cannot sign itself.
constexpr std::array<std::string_view, 12> never_signed = {
    "authorization", "connection",        "expect",  "keep-alive", "proxy-authenticate", "proxy-authorization", "te",
    "trailer",       "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id",
};

constexpr unsigned char lower(char c) { return static_cast<unsigned char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); }

/// Below, at or above zero: how the lower-case forms of two names are ordered, byte by byte.
int compare_names(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (const int difference = lower(a[i]) - lower(b[i]); difference != 0) return difference;
  return a.size() == b.size() ? 0 : (a.size() < b.size() ? -1 : 1);
}

void append_lower(std::string& out, std::string_view name) {
  out += name;
  for (char& c : std::span(out).last(name.size())) c = static_cast<char>(lower(c));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Trimmed at both ends, every run of white space one space, inside quotes too.
void append_trimmed(std::string& out, std::string_view value) {
  const auto word_from = [&](auto at) { return std::find_if_not(at, value.end(), is_space); };
  const auto first = word_from(value.begin());
  for (auto word = first; word != value.end();) {
    const auto end = std::find_if(word, value.end(), is_space);
    if (word != first) out += ' ';
    out += std::string_view(word, end);
    word = word_from(end);
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

void append_path(std::string& out, std::string_view path, const rules& dialect) {
  std::string resolved;
  if (dialect.normalize_path) {
    resolved = normalized(path);
    path = resolved;
  }
  if (path.empty()) path = "/";
  const bool encode = dialect.double_encode_path && path != "/";  // DynamoDB knows no other path
  if (encode)
    out += text::percent_encode(path, true);
  else
    out += path;
}

/// One parameter with nothing to decode or encode.
bool is_canonical(std::string_view query) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' || c == '.' || c == '_' ||
           c == '~' || c == '=';
  };
  return std::ranges::count(query, '=') == 1 && std::ranges::all_of(query, is_plain);
}

void append_query(std::string& out, std::string_view query) {
  if (is_canonical(query)) {
    out += query;
    return;
  }
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
  std::string_view separator;
  for (const auto& [name, value] : parameters) {
    (((out += separator) += name) += '=') += value;
    separator = "&";
  }
}

bool is_signed(const header& h) {
  return std::ranges::none_of(never_signed, [&h](std::string_view name) { return same_name(h.name, name); });
}

bool repeats_name(const signed_headers& headers, std::size_t i) {
  return i > 0 && same_name(headers[i].name, headers[i - 1].name);
}

/// "name:value\n" each; the values of one name are joined.
void append_lines(std::string& out, const signed_headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (repeats_name(headers, i)) {
      out.back() = ',';
    } else {
      append_lower(out, headers[i].name);
      out += ':';
    }
    append_trimmed(out, headers[i].value);
    out += '\n';
  }
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) { return a.size() == b.size() && compare_names(a, b) == 0; }

signed_headers signable(const std::vector<header>& headers, std::string_view host) {
  signed_headers out;
  for (const header& h : headers)
    if (is_signed(h)) out.push_back({h.name, h.value, out.size()});
  if (!host.empty()) out.push_back({"host", host, out.size()});
  std::ranges::sort(out, [](const signed_header& a, const signed_header& b) {
    const int names = compare_names(a.name, b.name);
    return names != 0 ? names < 0 : a.position < b.position;
  });
  return out;
}

void append_names(std::string& out, const signed_headers& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (repeats_name(headers, i)) continue;
    if (i > 0) out += ';';
    append_lower(out, headers[i].name);
  }
}

void append_canonical_request(std::string& out, const signed_parts& parts, const rules& dialect) {
  const std::size_t path_end = std::min(parts.target.find('?'), parts.target.size());
  const std::string_view query = parts.target.substr(std::min(path_end + 1, parts.target.size()));
  (out += parts.method) += '\n';
  append_path(out, parts.target.substr(0, path_end), dialect);
  out += '\n';
  append_query(out, query);
  out += '\n';
  append_lines(out, parts.headers);
  out += '\n';
  append_names(out, parts.headers);
  (out += '\n') += parts.payload_hash;
}

}  // namespace dynabackup::aws::sigv4
