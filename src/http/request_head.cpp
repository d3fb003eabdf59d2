#include "http/request_head.hpp"

#include <charconv>
#include <string_view>

#include "dynabackup/error.hpp"

namespace dynabackup::http {

namespace {

void append_checked(std::string& out, std::string_view text, std::string_view breaking, const char* what) {
  if (text.find_first_of(breaking) != std::string_view::npos) {
    throw usage_error(std::string("a request's ") + what + " has a character that would break the message apart");
  }
  out.append(text);
}

}  // namespace

void append_head(std::string& out, const request& r) {
  constexpr std::string_view line_breaks{"\r\n\0", 3};
  constexpr std::string_view separators{"\r\n\0 ", 4};
  constexpr std::string_view name_ends{"\r\n\0 :", 5};
  append_checked(out, r.method, separators, "method");
  out += ' ';
  append_checked(out, r.target, separators, "target");
  out += " HTTP/1.1\r\nHost: ";
  append_checked(out, r.to.host_header(), separators, "host");
  if (!r.body.empty() || r.method == "PUT" || r.method == "POST") {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, r.body.size()).ptr;
    out.append("\r\nContent-Length: ").append(digits, end);
  }
  for (const header& h : r.headers) {
    out += "\r\n";
    append_checked(out, h.name, name_ends, "header name");
    out += ": ";
    append_checked(out, h.value, line_breaks, "header value");
  }
  out += "\r\n\r\n";
}

}  // namespace dynabackup::http
