// The small JSON documents of a prefix's bookkeeping: one object each, a member a line, `format` first.
// Written in a stable order; read strictly: what is needed must be there and of its type, the rest is ignored. Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::archive {

class record_writer {
 public:
  record_writer& text(std::string_view member, std::string_view value);
  record_writer& number(std::string_view member, std::uint64_t value);
  record_writer& flag(std::string_view member, bool value);
  /// `value` is JSON already; its lines are indented one step.
  record_writer& json(std::string_view member, std::string_view value);
  /// The whole object and a newline; ends it.
  std::string finish();

 private:
  void begin(std::string_view member);
  std::string out_ = "{";
};

class record_reader {
 public:
  /// `body` must be one JSON object and nothing else, of at most `max_bytes`; `what` names it in messages.
  /// Every member function throws format_error for a member that is missing, unless it says otherwise, or of another
  /// type.
  record_reader(std::string_view body, std::string_view what, std::size_t max_bytes);
  record_reader(record_reader&&) noexcept;
  ~record_reader();

  /// Format 1; a greater one is of a newer dynabackup, and the error says to update.
  void expect_format() const;
  std::string text(std::string_view member) const;
  /// nullopt: there is no such member.
  std::optional<std::string> text_if_any(std::string_view member) const;
  /// RFC 3339, or empty where that is allowed.
  std::string moment(std::string_view member, bool may_be_empty) const;
  std::uint64_t number(std::string_view member) const;
  bool flag(std::string_view member) const;
  /// nullopt: the member is null.
  std::optional<record_reader> record(std::string_view member) const;
  /// An array of at most `max_count` objects.
  std::vector<record_reader> records(std::string_view member, std::size_t max_count) const;
  /// An array of arrays of `width` numbers each, joined.
  std::vector<std::uint64_t> rows(std::string_view member, std::size_t width) const;
  [[noreturn]] void refuse(std::string_view why) const;

 private:
  struct state;
  explicit record_reader(std::unique_ptr<state> s);
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::archive
