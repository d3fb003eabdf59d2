// "Did you mean": which of some known words a misspelt one is nearest to.
#pragma once
#include <span>
#include <string_view>

namespace dynabackup::apps {

/// By edit distance; empty when none is within a third of the word's length.
std::string_view nearest_word(std::string_view word, std::span<const std::string_view> known);

}  // namespace dynabackup::apps
