// One attribute value as people read it: "text", 12.5, binary AAEC (3 bytes), SS {"a", "b"}, [1, 2], {name: "x"}.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "dynabackup/attribute.hpp"

namespace dynabackup::cli {

inline constexpr std::size_t no_limit = static_cast<std::size_t>(-1);

/// Nothing a terminal would obey. Where it would be longer than `limit` bytes, about so much of its beginning and more
/// is true.
struct shown_value {
  std::string text;
  bool more = false;
};
shown_value shown(const attribute& value, std::size_t limit);

/// Elements of a set without its braces, as above.
shown_value shown_elements(const attribute& set, std::size_t limit);

/// "12,345 characters", "1,024 bytes", "3 elements", "2 attributes": how much a value is, where it is cut.
std::string amount_of(const attribute& value);

/// A name as it is where that is plain, else in quotes.
std::string shown_name(std::string_view quoted);

}  // namespace dynabackup::cli
