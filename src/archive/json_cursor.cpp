#include "archive/json_cursor.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"

namespace dynabackup::archive {
namespace {

/// A top bit for each of the eight bytes that is below 0x20, a quote or a backslash. A byte above a marked one may be
/// marked by mistake, so only whether there is a mark and, read as little-endian, the lowest of them count.
std::uint64_t marks(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101;
  constexpr std::uint64_t tops = 0x8080808080808080;
  const auto zero = [](std::uint64_t v) { return (v - ones) & ~v; };
  return (((eight - ones * 0x20) & ~eight) | zero(eight ^ ones * '"') | zero(eight ^ ones * '\\')) & tops;
}

/// The first byte in [p, end) that cannot stand in a string as it is.
const char* plain_run(const char* p, const char* end) {
  std::uint64_t eight;
  for (; end - p >= 8; p += 8) {
    std::memcpy(&eight, p, 8);
    const std::uint64_t found = marks(eight);
    if (found == 0) continue;
    if constexpr (std::endian::native == std::endian::little) return p + std::countr_zero(found) / 8;
    break;
  }
  while (p != end && static_cast<unsigned char>(*p) >= 0x20 && *p != '"' && *p != '\\') ++p;
  return p;
}

void append_utf8(std::string& out, unsigned code) {
  const auto byte = [&](unsigned v) { out += static_cast<char>(v); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

/// A character that was written as \uXXXX, in its canonical spelling; true if that is an escape again.
bool append_character(std::string& out, unsigned code) {
  constexpr std::string_view hex = "0123456789abcdef";
  switch (code) {
    case '\b':
      out += "\\b";
      return true;
    case '\t':
      out += "\\t";
      return true;
    case '\n':
      out += "\\n";
      return true;
    case '\f':
      out += "\\f";
      return true;
    case '\r':
      out += "\\r";
      return true;
    case '"':
      out += "\\\"";
      return true;
    case '\\':
      out += "\\\\";
      return true;
    default:
      break;
  }
  if (code >= 0x20) {
    append_utf8(out, code);
    return false;
  }
  ((out += "\\u00") += hex[code >> 4]) += hex[code & 15];
  return true;
}

}  // namespace

json_cursor::json_cursor(std::string_view text) : begin_(text.data()), at_(begin_), end_(begin_ + text.size()) {
  if (!text.empty() && !simdjson::validate_utf8(text.data(), text.size())) throw format_error("not valid UTF-8");
}

void json_cursor::fail(std::string_view what) const {
  throw format_error(fmt::format("{} at byte {}{}", what, offset(), at_ == end_ ? ", where the text ends" : ""));
}

bool json_cursor::accept_word(std::string_view word) {
  peek();
  if (!std::string_view(at_, static_cast<std::size_t>(end_ - at_)).starts_with(word)) return false;
  at_ += word.size();
  return true;
}

bool json_cursor::string(std::string& out, std::string_view otherwise) {
  expect('"', otherwise);
  const char* start = at_ - 1;
  bool escaped = false;
  while (true) {
    at_ = plain_run(at_, end_);
    if (at_ == end_) fail("a string that does not end");
    if (*at_ == '"') break;
    if (*at_ != '\\') fail("a control character that is not escaped");
    out.append(start, at_);
    ++at_;
    escaped |= escape(out);
    start = at_;
  }
  ++at_;
  out.append(start, at_);
  return escaped;
}

std::optional<std::string_view> json_cursor::plain_string() {
  if (peek() != '"') return std::nullopt;
  const char* start = at_ + 1;
  const char* stop = plain_run(start, end_);
  if (stop == end_ || *stop != '"') return std::nullopt;
  at_ = stop + 1;
  return std::string_view(start, static_cast<std::size_t>(stop - start));
}

bool json_cursor::escape(std::string& out) {
  if (at_ == end_) fail("a string that does not end");
  switch (*at_++) {
    case '"':
      return append_character(out, '"');
    case '\\':
      return append_character(out, '\\');
    case '/':
      return append_character(out, '/');
    case 'b':
      return append_character(out, '\b');
    case 'f':
      return append_character(out, '\f');
    case 'n':
      return append_character(out, '\n');
    case 'r':
      return append_character(out, '\r');
    case 't':
      return append_character(out, '\t');
    case 'u':
      break;
    default:
      fail("an unknown escape");
  }
  const unsigned first = four_hex_digits();
  if (first < 0xD800 || first > 0xDFFF) return append_character(out, first);
  if (first > 0xDBFF || end_ - at_ < 2 || at_[0] != '\\' || at_[1] != 'u') fail("half a surrogate pair");
  at_ += 2;
  const unsigned second = four_hex_digits();
  if (second < 0xDC00 || second > 0xDFFF) fail("half a surrogate pair");
  return append_character(out, 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
}

unsigned json_cursor::four_hex_digits() {
  if (end_ - at_ < 4) fail("an escape that does not end");
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++at_) {
    const char c = *at_;
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<unsigned>(c - '0');
    } else if (const char lower = static_cast<char>(c | 0x20); lower >= 'a' && lower <= 'f') {
      value = value << 4 | static_cast<unsigned>(lower - 'a' + 10);
    } else {
      fail("a \\u escape without four hexadecimal digits");
    }
  }
  return value;
}

std::string_view json_cursor::number() {
  peek();
  const char* start = at_;
  constexpr std::string_view characters = "+-.0123456789Ee";
  while (at_ != end_ && characters.find(*at_) != std::string_view::npos) ++at_;
  return {start, static_cast<std::size_t>(at_ - start)};
}

void json_cursor::skip_string() {
  ++at_;
  while (true) {
    at_ = plain_run(at_, end_);
    if (at_ == end_) fail("a string that does not end");
    const char c = *at_++;
    if (c == '"') return;
    if (c == '\\' && at_ != end_) ++at_;
  }
}

void json_cursor::skip_value() {
  std::size_t open = 0;
  do {
    const char c = peek();
    if (at_ == end_) fail("a value is missing");
    if (c == '"') {
      skip_string();
      continue;
    }
    if (c == '}' || c == ']') {
      if (open == 0) fail("a value is missing");
      --open;
    }
    if (c == '{' || c == '[') ++open;
    ++at_;
    if (open == 0 && c != '}' && c != ']') {
      while (at_ != end_ && *at_ != ',' && *at_ != '}' && *at_ != ']' && !is_white(*at_)) ++at_;
    }
  } while (open != 0);
}

void json_cursor::finish() {
  peek();
  if (at_ != end_) fail("more text after the object");
}

}  // namespace dynabackup::archive
