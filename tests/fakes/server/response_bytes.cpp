#include "fakes/server/response_bytes.hpp"

#include <algorithm>
#include <charconv>

namespace dynabackup::fakes {
namespace {

std::string_view reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 416:
      return "Range Not Satisfiable";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    default:
      return "Status";
  }
}

void append_number(std::string& out, std::size_t value) {
  char digits[20];
  const auto [end, failure] = std::to_chars(digits, digits + sizeof digits, value);
  out.append(digits, end);
}

}  // namespace

void append_head(std::string& out, const response& answer, bool keep_alive) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(answer.status));
  out.append(" ").append(reason(answer.status)).append("\r\n");
  bool sized = answer.status == 204 || answer.status == 304;
  for (const header& h : answer.headers) {
    out.append(h.name).append(": ").append(h.value).append("\r\n");
    sized = sized || h.name == "Content-Length";
  }
  if (!sized) {
    out += "Content-Length: ";
    append_number(out, answer.body.size());
    out += "\r\n";
  }
  if (!keep_alive) out += "Connection: close\r\n";
  out += "\r\n";
}

std::size_t cut_at(const fault& f, std::size_t head_bytes, std::size_t body_bytes) {
  // A body cut before its first byte is a cut as well; an answer without one is cut in its head.
  if (f.kind == fault_kind::cut_body && body_bytes != 0) return head_bytes + f.chance % body_bytes;
  return 1 + f.chance % (head_bytes - 1);
}

void flip(const fault& f, std::string& body) {
  if (body.empty()) return;
  char& byte = body[(f.chance & 0xffffffff) % body.size()];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << ((f.chance >> 32) % 8)));
}

}  // namespace dynabackup::fakes
