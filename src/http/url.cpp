#include "http/url.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <charconv>
#include <optional>

#include "dynabackup/error.hpp"

namespace dynabackup::http {
namespace {

constexpr std::size_t longest_url = 2048;
constexpr std::size_t longest_host = 253;
constexpr std::size_t longest_label = 63;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
bool is_alphanumeric(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z'); }
bool is_hex(char c) { return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f'); }

/// The text for a message: without what may be a password (user info) or a signature (query), and printable.
std::string shown(std::string_view text) {
  constexpr std::size_t enough = 120;
  text = text.substr(0, text.find_first_of("?#"));
  std::string out;
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    out = "***";
    text.remove_prefix(at);
  }
  out += text.substr(0, enough);
  if (text.size() > enough) out += "...";
  std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

[[noreturn]] void refuse(std::string_view text, const std::string& why) {
  throw usage_error("\"" + shown(text) + "\" is not a usable endpoint URL: " + why +
                    "; write http[s]://host[:port][/path]");
}

/// "https://" or "http://" taken from the front; nothing when it is another scheme or none.
std::optional<bool> take_scheme(std::string_view& rest) {
  const std::size_t end = rest.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  std::string scheme(rest.substr(0, end));
  std::ranges::transform(scheme, scheme.begin(), lower);
  if (scheme != "https" && scheme != "http") return std::nullopt;
  rest.remove_prefix(end + 3);
  return scheme == "https";
}

bool is_label(std::string_view label) {
  // Underscores are no host name's, but container networks are full of them.
  return !label.empty() && label.size() <= longest_label && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_host_name(std::string_view host) {
  if (host.size() > longest_host) return false;
  while (true) {
    const std::size_t dot = host.find('.');
    if (!is_label(host.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    host.remove_prefix(dot + 1);
  }
}

bool is_ipv6(const std::string& host) {
  const bool ends_early = host.find('\0') != std::string::npos;
  in6_addr unused{};
  return !ends_early && inet_pton(AF_INET6, host.c_str(), &unused) == 1;
}

bool is_path(std::string_view path) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%') {
      if (path.size() - i < 3 || !is_hex(path[i + 1]) || !is_hex(path[i + 2])) return false;
    } else if (!is_alphanumeric(path[i]) && std::string_view("-._~!$&'()*+,;=:@/").find(path[i]) == std::string::npos) {
      return false;
    }
  }
  return true;
}

std::optional<std::uint16_t> parse_port(std::string_view digits) {
  std::uint16_t port = 0;
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (failure != std::errc{} || end != digits.data() + digits.size() || port == 0) return std::nullopt;
  return port;
}

/// Splits "host", "host:port", "[v6]" or "[v6]:port"; `port` gets the text behind the colon, if there is a colon.
struct authority {
  std::string host;
  std::optional<std::string_view> port;
};
std::optional<authority> split_authority(std::string_view text) {
  authority parts;
  std::string_view behind;
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    parts.host = text.substr(1, end - 1);
    if (!is_ipv6(parts.host)) return std::nullopt;
    behind = text.substr(end + 1);
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    parts.host = text.substr(0, colon);
    if (!is_host_name(parts.host)) return std::nullopt;
    behind = text.substr(colon);
  }
  std::ranges::transform(parts.host, parts.host.begin(), lower);
  if (behind.empty()) return parts;
  if (!behind.starts_with(':')) return std::nullopt;
  parts.port = behind.substr(1);
  return parts;
}

}  // namespace

url parse_url(std::string_view text) {
  if (text.size() > longest_url) refuse(text, "it is longer than " + std::to_string(longest_url) + " bytes");
  std::string_view rest = text;
  const std::optional<bool> tls = take_scheme(rest);
  if (!tls) refuse(text, "it does not start with http:// or https://");
  if (rest.find_first_of("?#") != std::string_view::npos) refuse(text, "a query or fragment has no place in it");

  const std::size_t path_at = std::min(rest.find('/'), rest.size());
  const std::string_view host_and_port = rest.substr(0, path_at);
  if (host_and_port.find('@') != std::string_view::npos) refuse(text, "a user name or password has no place in it");
  const std::optional<authority> parts = split_authority(host_and_port);
  if (!parts) refuse(text, "its host is missing or malformed");

  url result;
  result.where = {.tls = *tls, .host = parts->host, .port = static_cast<std::uint16_t>(*tls ? 443 : 80)};
  if (parts->port) {
    const std::optional<std::uint16_t> port = parse_port(*parts->port);
    if (!port) refuse(text, "its port is not a number from 1 to 65535");
    result.where.port = *port;
  }
  std::string_view path = rest.substr(path_at);
  while (path.ends_with('/')) path.remove_suffix(1);
  if (!is_path(path)) refuse(text, "its path has characters that must be percent-encoded");
  result.path = path;
  return result;
}

}  // namespace dynabackup::http
