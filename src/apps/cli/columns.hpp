// Text in the columns of a terminal: what a character takes of them, what may be shown as it is, where a line ends.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::cli {

/// Columns of valid UTF-8: wide characters count two, combining ones none.
std::size_t columns_of(std::string_view text);
/// Characters that a terminal would obey or that nobody sees (DEL, U+0080…U+009F, marks of direction, line separators)
/// as \uXXXX. `json`: a JSON string or part of it, so that what is below U+0020 is escaped already.
std::string visible(std::string_view json);
/// The first `bytes` bytes or a little less, so that no character and no escape of a JSON string is cut.
std::string_view head_of(std::string_view json, std::size_t bytes);
/// Characters of a JSON string's inside, escapes counted as what they stand for.
std::size_t characters_in(std::string_view json);
/// Lines of at most `width` columns, ended at a space where there is one in their last two thirds.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace dynabackup::cli
