// Numbers and foreign text as people and JSON readers want them.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace dynabackup::apps {

/// "1,234,567"
std::string grouped(std::uint64_t number);
/// Decimal units: "999 B", "1.5 kB", "512.3 MB", "1.2 TB".
std::string size_text(std::uint64_t bytes);
/// "0:42", "1:05:09"
std::string duration_text(std::chrono::seconds span);
/// Control characters (a terminal would obey them) become '?'.
std::string printable(std::string_view text);
/// A value in a message: printable, in quotes, cut to 80 bytes.
std::string in_quotes(std::string_view value);
/// A JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD: the result is always valid JSON.
std::string json_quoted(std::string_view text);

}  // namespace dynabackup::apps
