// The member functions of include/dynabackup/http.hpp.
#include <algorithm>
#include <utility>

#include "dynabackup/http.hpp"

namespace dynabackup {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

std::string bracketed(const std::string& host) { return host.find(':') == std::string::npos ? host : "[" + host + "]"; }

}  // namespace

std::string origin::host_header() const {
  const std::uint16_t scheme_port = tls ? 443 : 80;
  return port == scheme_port ? bracketed(host) : bracketed(host) + ":" + std::to_string(port);
}

std::string origin::text() const {
  return (tls ? "https://" : "http://") + bracketed(host) + ":" + std::to_string(port);
}

void request::set_header(std::string_view name, std::string value) {
  const auto named = [name](const header& h) { return same_name(h.name, name); };
  const auto first = std::ranges::find_if(headers, named);
  if (first == headers.end()) {
    headers.push_back({std::string(name), std::move(value)});
    return;
  }
  *first = {std::string(name), std::move(value)};
  headers.erase(std::remove_if(std::next(first), headers.end(), named), headers.end());
}

std::string_view response::header_value(std::string_view name) const {
  for (const header& h : headers)
    if (same_name(h.name, name)) return h.value;
  return {};
}

}  // namespace dynabackup
