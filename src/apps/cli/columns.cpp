#include "columns.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace dynabackup::cli {
namespace {

struct range {
  char32_t first, last;
};

/// Of East Asian width W or F, and pictures; blocks rather than single characters.
constexpr std::array<range, 11> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0xA4CF},
                                      {0xA960, 0xA97F},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
constexpr std::array<range, 6> combining{
    {{0x0300, 0x036F}, {0x0591, 0x05BD}, {0x200B, 0x200D}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}}};
constexpr std::array<range, 6> unseen{
    {{0x7F, 0x9F}, {0xAD, 0xAD}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2060, 0x206F}, {0xFEFF, 0xFEFF}}};

template <std::size_t N>
bool within(const std::array<range, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](range r) { return c >= r.first && c <= r.last; });
}

struct character {
  char32_t code = 0;
  std::size_t bytes = 1;
};

/// The one that begins at `at`; a byte that begins none counts alone.
character character_at(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = byte(at);
  const std::size_t bytes = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (bytes == 1 || text.size() - at < bytes) return {lead, 1};
  char32_t code = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = code << 6 | (byte(at + i) & 0x3F);
  return {code, bytes};
}

std::size_t width_of(char32_t c) { return within(combining, c) ? 0 : within(wide, c) ? 2 : 1; }

/// A line may end in its place. Of several in a row none is taken away: they are what the text says.
bool lone_space(std::string_view text, std::size_t at) {
  return text[at] == ' ' && at > 0 && at + 1 < text.size() && text[at - 1] != ' ' && text[at + 1] != ' ';
}

/// Bytes of the character or the escape at `at`.
std::size_t unit_at(std::string_view json, std::size_t at) {
  if (json[at] != '\\') return character_at(json, at).bytes;
  const std::size_t bytes = at + 1 < json.size() && json[at + 1] == 'u' ? 6 : 2;
  return std::min(bytes, json.size() - at);
}

}  // namespace

std::size_t columns_of(std::string_view text) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < text.size();) {
    const character c = character_at(text, at);
    columns += width_of(c.code);
    at += c.bytes;
  }
  return columns;
}

std::string visible(std::string_view json) {
  std::string out;
  out.reserve(json.size());
  for (std::size_t at = 0; at < json.size();) {
    const character c = character_at(json, at);
    if (within(unseen, c.code))
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c.code));
    else
      out += json.substr(at, c.bytes);
    at += c.bytes;
  }
  return out;
}

std::string_view head_of(std::string_view json, std::size_t bytes) {
  if (json.size() <= bytes) return json;
  std::size_t at = 0;
  while (at + unit_at(json, at) <= bytes) at += unit_at(json, at);
  return json.substr(0, at);
}

std::size_t characters_in(std::string_view json) {
  std::size_t count = 0;
  for (std::size_t at = 0; at < json.size(); at += unit_at(json, at)) ++count;
  return count;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t columns = 0;
    std::size_t at = 0;
    std::size_t space = 0;  // the last one in whose place the line may end
    while (at < text.size()) {
      const character c = character_at(text, at);
      if (at > 0 && columns + width_of(c.code) > width) break;
      columns += width_of(c.code);
      if (columns > width / 3 && lone_space(text, at)) space = at;
      at += c.bytes;
    }
    if (at < text.size() && lone_space(text, at)) space = at;
    const std::size_t end = at == text.size() || space == 0 ? at : space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + (end == space ? 1 : 0));
  }
  if (lines.empty()) lines.emplace_back();
  return lines;
}

}  // namespace dynabackup::cli
