#include "http/request_head.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "dynabackup/error.hpp"

namespace dynabackup::http {

namespace {

/// Bytes that would end a part of the head before its end, by the parts they end.
enum : std::uint8_t { line_break = 1, blank = 2, colon = 4 };

constexpr auto ends = [] {
  std::array<std::uint8_t, 256> kinds{};
  kinds['\r'] = kinds['\n'] = kinds['\0'] = line_break;
  kinds[' '] = blank;
  kinds[':'] = colon;
  return kinds;
}();

void append_checked(std::string& out, std::string_view text, std::uint8_t breaking, const char* what) {
  std::uint8_t seen = 0;
  for (const char c : text) seen |= ends[static_cast<unsigned char>(c)];
  if ((seen & breaking) != 0) {
    throw usage_error(std::string("a request's ") + what + " has a character that would break the message apart");
  }
  out.append(text);
}

}  // namespace

void append_head(std::string& out, const request& r) {
  constexpr std::uint8_t separator = line_break | blank;
  constexpr std::uint8_t name_end = separator | colon;
  append_checked(out, r.method, separator, "method");
  out += ' ';
  append_checked(out, r.target, separator, "target");
  out += " HTTP/1.1\r\nHost: ";
  append_checked(out, r.to.host_header(), separator, "host");
  if (!r.body.empty() || r.method == "PUT" || r.method == "POST") {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, r.body.size()).ptr;
    out.append("\r\nContent-Length: ").append(digits, end);
  }
  for (const header& h : r.headers) {
    out += "\r\n";
    append_checked(out, h.name, name_end, "header name");
    out += ": ";
    append_checked(out, h.value, line_break, "header value");
  }
  out += "\r\n\r\n";
}

}  // namespace dynabackup::http
