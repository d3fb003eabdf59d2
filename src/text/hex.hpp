// Hexadecimal into a text under way, for callers that have one; hex() in codecs.hpp makes a text of its own.
#pragma once
#include <string>
#include <string_view>

namespace dynabackup::text {

/// Two lower-case digits a byte.
inline void append_hex(std::string& out, std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::size_t at = out.size();
  out.resize(at + 2 * bytes.size());
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    out[at++] = digits[value >> 4];
    out[at++] = digits[value & 15];
  }
}

}  // namespace dynabackup::text
