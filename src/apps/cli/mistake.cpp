#include "mistake.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "apps/configuration/spelling.hpp"
#include "apps/configuration/text_forms.hpp"
#include "help_texts.hpp"

namespace dynabackup::cli {
namespace {

/// --output as far as a line that makes no sense can tell.
output_format likely_output(const std::vector<std::string>& line) {
  for (std::size_t i = 0; i < line.size(); ++i)
    if (line[i] == "--output=json" || (line[i] == "--output" && i + 1 < line.size() && line[i + 1] == "json"))
      return output_format::json;
  return output_format::text;
}

/// "'snapshto' is not a command; did you mean snapshot?", or nothing.
std::string suggestion(const std::vector<std::string>& line, const known_words& known) {
  const auto knows = [](const auto& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const auto sentence = [](std::string_view word, const char* kind, std::string_view near) {
    return fmt::format("{} is not {}{}", in_quotes(word), kind,
                       near.empty() ? "" : fmt::format("; did you mean {}?", near));
  };
  if (line.empty()) return "";
  const std::vector<std::string_view> options(known.options.begin(), known.options.end());
  if (!line.front().starts_with('-') && !knows(known.commands, line.front()))
    return sentence(line.front(), "a command", nearest_word(line.front(), known.commands));
  for (const std::string& word : line) {
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    if (word.starts_with("--") && name != "--" && !knows(options, name))
      return sentence(name, "an option", nearest_word(name, options));
  }
  return "";
}

}  // namespace

early_end mistake_in(const std::vector<std::string>& line, std::string_view what, const known_words& known) {
  const std::string better = suggestion(line, known);
  while (what.starts_with(':') || what.starts_with(' ')) what.remove_prefix(1);  // where CLI11 left out a hidden name
  early_end end{2, "", printable(better.empty() ? what : better), likely_output(line)};
  end.text = fmt::format("{}: {}\n\n{}", program, end.mistake, usage);
  return end;
}

}  // namespace dynabackup::cli
