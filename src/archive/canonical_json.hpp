// The one spelling of an item and of its key that is stored and hashed (docs/format.md, "Canonical JSON").
// Pure; every byte of the input is checked, whatever it is: a hostile item gives a format_error, never a crash.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dynamodb/table_description.hpp"

namespace dynabackup::archive {

/// Plain decimal of a DynamoDB number in any spelling: no exponent, no leading '+' or zeros, no trailing fraction
/// zeros,
/// "-0" is "0". format_error for what is no number, over 38 significant digits, or out of 1E-130 … 9.99…E+125.
std::string canonical_number(std::string_view text);

/// Most maps and lists within one another, as DynamoDB.
inline constexpr int max_nesting = 32;
/// Longest input and longest canonical item. 400 KB of numbers like -1E-130 in a list come to 19.4 MB here.
inline constexpr std::size_t max_item_text = std::size_t{32} << 20;

/// Reusable: holds the scratch, which grows to the largest item seen.
/// All functions append; on a throw (format_error, with the byte of the input where one can be told and none of its
/// content) `out` and `key` are as before.
class canonicalizer {
 public:
  canonicalizer();
  ~canonicalizer();
  canonicalizer(canonicalizer&&) noexcept;
  canonicalizer& operator=(canonicalizer&&) noexcept;

  /// Appends the canonical form of `item`, a JSON object of attribute values.
  void item(std::string_view item, std::string& out);
  /// Appends the canonical key of that item as well: its key attributes alone, as {"id":{"S":"x"}}, members sorted like
  /// every map. format_error: a key attribute is missing or of another type than the schema says.
  void item_and_key(std::string_view item, const dynamodb::key_schema& schema, std::string& out, std::string& key);
  /// The same for an item in plain JSON, whose values become S, N, BOOL, NULL, L and M; a string is B where it is a key
  /// attribute that the schema says is binary.
  void plain_item_and_key(std::string_view item, const dynamodb::key_schema& schema, std::string& out,
                          std::string& key);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::archive
