// An attribute value in canonical JSON (docs/format.md), read in place: for whoever compares or shows items. The text
// outlives what is read of it. Bounded and safe on any text; what is not canonical may be refused (format_error).
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

namespace dynabackup {

struct attribute_member;

class attribute {
 public:
  /// One attribute value: {"S":"x"}.
  explicit attribute(std::string_view canonical);

  [[nodiscard]] std::string_view text() const { return text_; }
  /// "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS" or "BS".
  [[nodiscard]] std::string_view type() const { return type_; }
  /// What stands behind the type: "x", true, {…}, […].
  [[nodiscard]] std::string_view value() const { return value_; }
  [[nodiscard]] bool is_set() const { return type_ == "SS" || type_ == "NS" || type_ == "BS"; }
  /// What stands between the quotes of S, N or B.
  [[nodiscard]] std::string_view string() const;
  /// Of M.
  [[nodiscard]] std::vector<attribute_member> members() const;
  /// Of L: attribute values; of SS, NS and BS: strings with their quotes.
  [[nodiscard]] std::vector<std::string_view> elements() const;

 private:
  std::string_view text_;
  std::string_view type_;
  std::string_view value_;
};

struct attribute_member {
  std::string_view name;  ///< a JSON string with its quotes
  attribute value;
};

/// The members of an item, or of the map in an M.
std::vector<attribute_member> members_of(std::string_view map);

}  // namespace dynabackup
