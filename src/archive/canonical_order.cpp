#include "archive/canonical_order.hpp"

#include <algorithm>

namespace dynabackup::archive {
namespace {

/// The byte that the next one, two or six characters of a canonical spelling stand for.
unsigned char next_byte(std::string_view& spelled) {
  const auto take = [&](std::size_t n) { spelled.remove_prefix(n); };
  const char c = spelled[0];
  if (c != '\\') {
    take(1);
    return static_cast<unsigned char>(c);
  }
  const char kind = spelled[1];
  if (kind == 'u') {
    const char low = spelled[5];
    const int value = (spelled[4] - '0') * 16 + (low <= '9' ? low - '0' : low - 'a' + 10);
    take(6);
    return static_cast<unsigned char>(value);
  }
  take(2);
  switch (kind) {
    case 'b':
      return '\b';
    case 't':
      return '\t';
    case 'n':
      return '\n';
    case 'f':
      return '\f';
    case 'r':
      return '\r';
    default:
      return static_cast<unsigned char>(kind);
  }
}

int sign(int v) { return (v > 0) - (v < 0); }

int compare_names(std::string_view a, std::string_view b, bool escaped) {
  return escaped ? compare_spelled(a, b) : sign(a.compare(b));
}

}  // namespace

int compare_spelled(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    const unsigned char x = next_byte(a);
    const unsigned char y = next_byte(b);
    if (x != y) return x < y ? -1 : 1;
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

bool piece_stack::add(level& to, piece p, bool escaped, std::string_view item) {
  to.escaped |= escaped;
  if (to.sorted && pieces_.size() > to.first) {
    const int order = compare_names(pieces_.back().name(item), p.name(item), to.escaped);
    if (order == 0) return false;
    to.sorted = order < 0;
  }
  pieces_.push_back(p);
  return true;
}

bool piece_stack::arrange(const level& l, std::string& out, std::size_t base) {
  if (l.sorted) return true;
  const auto all = std::span(pieces_).subspan(l.first);
  const std::size_t start = all.front().begin;
  const std::string_view item = std::string_view(out).substr(base);
  const auto before = [&](const piece& a, const piece& b) {
    return compare_names(a.name(item), b.name(item), l.escaped) < 0;
  };
  std::sort(all.begin(), all.end(), before);
  const auto same = [&](const piece& a, const piece& b) { return !before(a, b); };
  if (std::adjacent_find(all.begin(), all.end(), same) != all.end()) return false;

  scratch_.assign(item.substr(start));
  auto to = static_cast<std::uint32_t>(start);
  out.resize(base + start);
  for (piece& p : all) {
    if (to != start) {
      out += ',';
      ++to;
    }
    out.append(scratch_, p.begin - start, p.end - p.begin);
    const std::uint32_t name_size = p.name_end - p.begin;
    const std::uint32_t size = p.end - p.begin;
    p = {to, to + name_size, to + size};
    to += size;
  }
  return true;
}

}  // namespace dynabackup::archive
