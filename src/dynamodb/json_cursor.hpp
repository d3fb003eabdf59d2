// A forward walk over one JSON answer that hands out values as the raw bytes they came in. It needs no scratch memory,
// so that a page of several MiB costs itself and nothing more. What it skips is balanced and its strings are closed,
// no more: whoever keeps an item's bytes reads them again, strictly (archive/canonical_json.hpp).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace dynabackup::dynamodb {

class json_cursor {
 public:
  /// `what` names the text in messages ("Scan answer"). Both must outlive the cursor. Every member throws format_error.
  json_cursor(std::string_view text, std::string_view what) : text_(text), what_(what) {}

  /// Goes into the object or array that follows; `bracket` is '{' or '['.
  void enter(char bracket);
  /// Goes to the next member of the object entered last: its name, escapes as they stand; nullopt after the '}'.
  /// The member's value must be taken before the next call.
  std::optional<std::string_view> next_member();
  /// Goes to the next element of the array entered last; false after the ']'.
  bool next_element();

  std::string_view value();
  std::string_view object();
  std::uint64_t count();
  double number();
  /// What follows is an object.
  bool is_object();
  /// The value that follows if it is a number, whatever it is otherwise.
  std::optional<double> number_or_nothing();
  /// Nothing but white space may follow.
  void end();

  [[noreturn]] void fail(std::string_view problem) const;

 private:
  char peek();
  bool next(char closing);
  std::string_view string();
  std::string_view scalar();
  std::string_view container();

  std::string_view text_;
  std::string_view what_;
  std::size_t at_ = 0;
  bool entered_ = false;  ///< directly behind an opening bracket: no comma is due
};

}  // namespace dynabackup::dynamodb
