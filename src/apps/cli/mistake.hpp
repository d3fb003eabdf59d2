// What is said of a command line that makes no sense, and the word that was probably meant.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"

namespace dynabackup::cli {

struct known_words {
  std::span<const std::string_view> commands;
  std::vector<std::string> options;
};

/// `what`: the parser's own complaint, which a word that is not known explains better.
early_end mistake_in(const std::vector<std::string>& line, std::string_view what, const known_words& known);

}  // namespace dynabackup::cli
