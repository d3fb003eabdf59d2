// A strict reader of one JSON text (RFC 8259), front to back, that hands strings over in their canonical spelling.
// simdjson is not used for this: its on-demand reader checks only what is visited and its DOM takes several times the
// item's memory, while here a byte that nobody looked at could become an item's name.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::archive {

class json_cursor {
 public:
  /// The text must outlive the cursor. format_error: it is not UTF-8.
  explicit json_cursor(std::string_view text);

  /// The next byte that is not white space, left where it is; NUL at the end (no JSON token begins with NUL).
  char peek() {
    while (at_ != end_ && is_white(*at_)) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  /// Steps over `c` when it is next.
  bool accept(char c) {
    if (peek() != c || at_ == end_) return false;
    ++at_;
    return true;
  }
  /// Steps over `c`; `otherwise` says what is wrong when something else is next.
  void expect(char c, std::string_view otherwise) {
    if (!accept(c)) fail(otherwise);
  }
  /// Appends a string with its quotes, spelled as RFC 8785 does; true if that spelling holds escapes.
  bool string(std::string& out, std::string_view otherwise);
  /// What is between the quotes of a string that has no escapes, which is stepped over; anything else is left alone.
  std::optional<std::string_view> plain_string();
  /// Steps over `word` when the text goes on with it.
  bool accept_word(std::string_view word);
  /// Steps over the characters a number is made of, unchecked otherwise.
  std::string_view number();
  /// Steps over a value of any depth: strings and brackets are matched, nothing else is checked.
  void skip_value();
  /// Only white space may be left.
  void finish();

  [[nodiscard]] std::size_t offset() const { return static_cast<std::size_t>(at_ - begin_); }
  /// format_error "<what> at byte <offset>"; never any of the text.
  [[noreturn]] void fail(std::string_view what) const;

 private:
  static bool is_white(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  bool escape(std::string& out);
  unsigned four_hex_digits();
  void skip_string();

  const char* begin_;
  const char* at_;
  const char* end_;
};

}  // namespace dynabackup::archive
