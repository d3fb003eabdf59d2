// The members of maps and the elements of sets while they are written, and their canonical order: by the UTF-8 bytes of
// the strings meant, whatever escapes spell them.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::archive {

/// -1, 0, 1: the order of two strings in canonical spelling, without their quotes, by the bytes they stand for.
int compare_spelled(std::string_view a, std::string_view b);

/// A member `"name":value` or an element `"name"`, as offsets from the start of the item in the text being written.
struct piece {
  std::uint32_t begin;
  std::uint32_t name_end;  ///< behind the name's closing quote
  std::uint32_t end;

  [[nodiscard]] std::string_view name(std::string_view item) const {
    return item.substr(begin + 1, name_end - begin - 2);
  }
};

/// A stack: the pieces of a map lie above those of the maps around it, so one vector serves an item of any depth.
class piece_stack {
 public:
  struct level {
    std::size_t first = 0;
    bool sorted = true;
    bool escaped = false;  ///< a name has escapes, so that the order of the spellings is not that of the strings
  };

  [[nodiscard]] level open() const { return {pieces_.size()}; }
  /// `item`: the text so far. False: the name is the same as the one before it.
  bool add(level& to, piece p, bool escaped, std::string_view item);
  /// Brings the level's pieces, which are the end of `out` but for commas, in order. False: two names are the same.
  bool arrange(const level& l, std::string& out, std::size_t base);
  [[nodiscard]] std::span<const piece> pieces(const level& l) const { return std::span(pieces_).subspan(l.first); }
  void close(const level& l) { pieces_.resize(l.first); }
  void clear() { pieces_.clear(); }

 private:
  std::vector<piece> pieces_;
  std::string scratch_;
};

}  // namespace dynabackup::archive
