#include "text/codecs.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include "text/hex.hpp"

namespace dynabackup::text {
namespace {

constexpr std::string_view lower_hex = "0123456789abcdef";
constexpr std::string_view upper_hex = "0123456789ABCDEF";
constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t not_in_alphabet = 0xff;
constexpr auto base64_values = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(not_in_alphabet);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i)
    values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<std::uint8_t>(i);
  return values;
}();

constexpr auto unreserved = [] {
  std::array<bool, 256> set{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"))
    set[static_cast<unsigned char>(c)] = true;
  return set;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) { return static_cast<unsigned char>(bytes[i]); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool between(std::uint32_t value, std::uint32_t low, std::uint32_t high) { return value >= low && value <= high; }

/// Length of the well-formed sequence at `i` that starts with a byte above 0x7f; 0 when it is not well formed.
std::size_t multibyte_length(std::string_view bytes, std::size_t i) {
  const std::size_t left = bytes.size() - i;
  const std::uint32_t first = byte_at(bytes, i);
  const auto continues = [&](std::size_t k) { return between(byte_at(bytes, i + k), 0x80, 0xbf); };
  if (between(first, 0xc2, 0xdf)) return left >= 2 && continues(1) ? 2 : 0;
  if (between(first, 0xe0, 0xef)) {
    if (left < 3 || !continues(1) || !continues(2)) return 0;
    const std::uint32_t second = byte_at(bytes, i + 1);
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  if (between(first, 0xf0, 0xf4)) {
    if (left < 4 || !continues(1) || !continues(2) || !continues(3)) return 0;
    const std::uint32_t second = byte_at(bytes, i + 1);
    const bool overlong = first == 0xf0 && second < 0x90;
    const bool beyond_unicode = first == 0xf4 && second > 0x8f;
    return overlong || beyond_unicode ? 0 : 4;
  }
  return 0;
}

void append_json_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += lower_hex[static_cast<unsigned char>(c) >> 4];
      out += lower_hex[static_cast<unsigned char>(c) & 15];
  }
}

}  // namespace

std::string hex(std::string_view bytes) {
  std::string out;
  append_hex(out, bytes);
  return out;
}

std::string base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::size_t i = 0;
  for (; i + 3 <= bytes.size(); i += 3) {
    const std::uint32_t group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    for (int shift = 18; shift >= 0; shift -= 6) out += base64_alphabet[group >> shift & 63];
  }
  if (const std::size_t rest = bytes.size() - i; rest > 0) {
    const std::uint32_t group = byte_at(bytes, i) << 16 | (rest == 2 ? byte_at(bytes, i + 1) << 8 : 0);
    out += base64_alphabet[group >> 18 & 63];
    out += base64_alphabet[group >> 12 & 63];
    out += rest == 2 ? base64_alphabet[group >> 6 & 63] : '=';
    out += '=';
  }
  return out;
}

std::optional<std::string> unbase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  text.remove_suffix(padding);

  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  int held = 0;
  for (const char c : text) {
    const std::uint8_t value = base64_values[static_cast<unsigned char>(c)];
    if (value == not_in_alphabet) return std::nullopt;
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out += static_cast<char>(bits >> held & 0xff);
    }
  }
  const std::uint32_t pad_bits = bits & ((1U << held) - 1);
  if (pad_bits != 0) return std::nullopt;
  return out;
}

std::string percent_encode(std::string_view bytes, bool keep_slash) {
  std::string out;
  out.reserve(bytes.size() + 16);
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    if (unreserved[value] || (keep_slash && c == '/')) {
      out += c;
    } else {
      out += '%';
      out += upper_hex[value >> 4];
      out += upper_hex[value & 15];
    }
  }
  return out;
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && text.size() - i > 2) {
      const int high = hex_value(text[i + 1]);
      const int low = hex_value(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out += static_cast<char>(high << 4 | low);
        i += 2;
        continue;
      }
    }
    out += plus_is_space && text[i] == '+' ? ' ' : text[i];
  }
  return out;
}

bool valid_utf8(std::string_view bytes) {
  constexpr std::uint64_t high_bits = 0x8080808080808080;
  std::size_t i = 0;
  while (i < bytes.size()) {
    if (std::uint64_t word = 0; bytes.size() - i >= sizeof word) {
      std::memcpy(&word, bytes.data() + i, sizeof word);
      if ((word & high_bits) == 0) {
        i += sizeof word;
        continue;
      }
    }
    const std::size_t length = byte_at(bytes, i) < 0x80 ? 1 : multibyte_length(bytes, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

void append_json_string(std::string& out, std::string_view utf8) {
  out += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const char c = utf8[i];
    if (static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\') continue;
    out.append(utf8, plain_from, i - plain_from);
    append_json_escape(out, c);
    plain_from = i + 1;
  }
  out.append(utf8, plain_from);
  out += '"';
}

}  // namespace dynabackup::text
