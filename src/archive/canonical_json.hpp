// The one spelling of an item and of its key that is stored and hashed (docs/format.md, "Canonical JSON").
// Pure; every byte of the input is checked, whatever it is: a hostile item gives a format_error, never a crash.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "dynamodb/table_description.hpp"

namespace dynabackup::archive {

/// Plain decimal of a DynamoDB number in any spelling: no exponent, no leading '+' or zeros, no trailing fraction zeros,
/// "-0" is "0". format_error for what is no number, over 38 significant digits, or out of 1E-130 … 9.99…E+125.
std::string canonical_number(std::string_view text);

/// Reusable: holds the parser and its scratch, grows to the largest item seen.
class canonicalizer {
 public:
  canonicalizer();
  ~canonicalizer();
  canonicalizer(canonicalizer&&) noexcept;

  /// Appends the canonical form of `item` (a JSON object of attribute values) to `out`; `out` is as before on a throw.
  /// `item` needs response::body_padding readable bytes behind it.
  void item(std::string_view item, std::string& out);
  /// The canonical key of that item: its key attributes alone, as {"id":{"S":"x"}}, members sorted like every map.
  /// format_error: a key attribute is missing or of another type than the schema says.
  void item_and_key(std::string_view item, const dynamodb::key_schema& schema, std::string& out, std::string& key);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::archive
