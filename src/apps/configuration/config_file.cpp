#include "apps/configuration/config_file.hpp"

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <system_error>

#include "apps/configuration/text_forms.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::apps {
namespace {

constexpr int max_depth = 16;
constexpr std::size_t max_key_bytes = 256;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_key_character(char c) { return is_letter_or_digit(c) || c == '_' || c == '-'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

void append_utf8(std::string& out, std::uint32_t code) {
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

class parser {
 public:
  parser(std::string_view file_name, std::string_view text, const environment& variables)
      : file_name_(file_name), rest_(text), variables_(variables) {
    constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
    if (rest_.starts_with(byte_order_mark)) rest_.remove_prefix(byte_order_mark.size());
  }

  std::vector<config_entry> parse() {
    members("", std::nullopt, 0);
    return std::move(entries_);
  }

 private:
  [[noreturn]] void fail(file_position at, std::string_view what) const {
    const std::string key = key_.empty() ? "" : printable(key_) + ": ";
    throw usage_error(fmt::format("{}: {}{}", place_text(file_name_, at), key, what));
  }
  [[noreturn]] void fail(std::string_view what) const { fail(here_, what); }

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] char peek(std::size_t ahead = 0) const { return ahead < rest_.size() ? rest_[ahead] : '\0'; }
  [[nodiscard]] bool at_comment() const { return peek() == '#' || rest_.starts_with("//"); }

  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') {
      ++here_.line;
      here_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++here_.column;
    }
    return c;
  }

  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') take();
  }

  /// Spaces, ends of lines and comments; true when an end of line was among them.
  bool skip_blank() {
    bool newline = false;
    for (;;) {
      skip_spaces();
      if (peek() == '\n') {
        newline = true;
        take();
      } else if (at_comment()) {
        while (!at_end() && peek() != '\n') take();
      } else {
        return newline;
      }
    }
  }

  [[nodiscard]] std::string next_character() const {
    if (at_end()) return "the end of the file";
    if (is_control(peek())) return fmt::format("the character 0x{:02x}", static_cast<unsigned char>(peek()));
    std::size_t length = 1;
    while (length < rest_.size() && (static_cast<unsigned char>(rest_[length]) & 0xC0) == 0x80) ++length;
    return in_quotes(rest_.substr(0, length));
  }

  void members(const std::string& prefix, std::optional<file_position> opened, int depth) {
    for (;;) {
      skip_blank();
      key_ = prefix;
      if (at_end()) {
        if (opened) fail(*opened, "this '{' is never closed");
        return;
      }
      if (peek() == '}') {
        if (!opened) fail("'}' without a '{' before it");
        take();
        return;
      }
      member(prefix, depth);
      end_of_member();
    }
  }

  void end_of_member() {
    const bool newline = skip_blank();
    if (peek() == ',' && !at_end())
      take();
    else if (!newline && !at_end() && peek() != '}')
      fail(fmt::format("{} after the value; a value that is more than one word goes in quotes", next_character()));
  }

  void member(const std::string& prefix, int depth) {
    config_entry entry;
    entry.key_at = here_;
    if (peek() == '{') fail("'{' without a key before it");
    entry.key = key_path(prefix);
    key_ = entry.key;
    const file_position after_key = here_;
    bool newline = skip_blank();
    if (peek() != '{') {
      if (entry.key == "include" && peek() == '"') fail(entry.key_at, "include is not supported");
      if (peek() == '+') fail("'+=' is not supported");
      if (newline || at_end()) fail(after_key, "'=', ':' or '{' expected after the key");
      if (peek() != '=' && peek() != ':') fail("'=', ':' or '{' expected after the key, not " + next_character());
      take();
      const file_position after_sign = here_;
      newline = skip_blank();
      if (peek() != '{' && (newline || at_end())) fail(after_sign, "has no value");
    }
    entry.value_at = here_;
    if (peek() == '{')
      block(std::move(entry), depth);
    else
      scalar(std::move(entry));
  }

  void block(config_entry entry, int depth) {
    if (rest_.starts_with("{table}")) fail("a value that holds {table} goes in quotes");
    if (depth == max_depth) fail("blocks are nested too deeply");
    take();
    entry.block = true;
    const std::string prefix = entry.key;
    const file_position opened = entry.value_at;
    entries_.push_back(std::move(entry));
    members(prefix, opened, depth + 1);
  }

  std::string key_path(const std::string& prefix) {
    std::string path = prefix;
    for (;;) {
      if (!path.empty()) path += '.';
      path += key_element();
      if (path.size() > max_key_bytes) fail("this key is too long");
      if (peek() != '.') return path;
      take();
    }
  }

  std::string key_element() {
    if (peek() == '"') {
      std::string element = quoted_string();
      for (const char c : element)
        if (!is_key_character(c)) return '"' + element + '"';  // a dot in quotes separates nothing
      if (element.empty()) return "\"\"";
      return element;
    }
    std::string element;
    while (is_key_character(peek())) element += take();
    if (element.empty()) fail("a key expected, not " + next_character());
    return element;
  }

  void scalar(config_entry entry) {
    if (peek() == '[') fail("lists are not supported");
    if (rest_.starts_with("\"\"\"")) fail("triple quotes are not supported");
    if (peek() == '"')
      entry.value = quoted_string();
    else if (peek() == '$')
      entry.value = substitution();
    else
      entry.value = bare_value();
    if (peek() == '"' || peek() == '$') fail("joining values is not supported");
    entries_.push_back(std::move(entry));
  }

  std::string bare_value() {
    constexpr std::string_view ends = " \t\r\n,}#";
    constexpr std::string_view reserved = "$\"{[]:=+`^?!@*&\\";  // HOCON wants these quoted
    std::string value;
    while (!at_end() && ends.find(peek()) == std::string_view::npos && !at_comment()) {
      if (peek() == '\0' || reserved.find(peek()) != std::string_view::npos || is_control(peek()))
        fail(fmt::format("a value that holds {} goes in quotes", next_character()));
      value += take();
    }
    if (value.empty()) fail("has no value");
    return value;
  }

  std::optional<std::string> substitution() {
    const file_position start = here_;
    if (!rest_.starts_with("${")) fail("a value that holds '$' goes in quotes");
    if (!rest_.starts_with("${?"))
      fail("only ${?NAME} is supported, which leaves the setting alone when NAME is unset");
    take();
    take();
    take();
    std::string name;
    while (is_letter_or_digit(peek()) || peek() == '_') name += take();
    if (peek() != '}' || name.empty()) fail(start, "${?NAME} takes the name of an environment variable");
    take();
    return variables_(name);
  }

  std::string quoted_string() {
    const file_position start = here_;
    take();
    std::string value;
    for (;;) {
      if (at_end() || peek() == '\n') fail(start, "this '\"' is never closed");
      if (is_control(peek())) fail("control characters in a string are written as \\u00XX");
      if (peek() == '\\') {
        escape(value);
        continue;
      }
      const char c = take();
      if (c == '"') return value;
      value += c;
    }
  }

  void escape(std::string& value) {
    const file_position start = here_;
    take();
    constexpr std::string_view letters = "\"\\/bfnrt";
    constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
    if (peek() == 'u') {
      take();
      append_utf8(value, code_point(start));
      return;
    }
    const std::size_t which = at_end() ? std::string_view::npos : letters.find(peek());
    if (which == std::string_view::npos)
      fail(start, "unknown escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are known");
    take();
    value += meanings[which];
  }

  std::uint32_t code_point(file_position start) {
    const std::uint32_t first = hex4(start);
    if (first == 0) fail(start, "\\u0000 is not supported");
    if (first < 0xD800 || first > 0xDFFF) return first;
    if (first > 0xDBFF || !rest_.starts_with("\\u")) fail(start, "half of a surrogate pair");
    take();
    take();
    const std::uint32_t second = hex4(start);
    if (second < 0xDC00 || second > 0xDFFF) fail(start, "half of a surrogate pair");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  std::uint32_t hex4(file_position start) {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) fail(start, "\\u takes four hex digits");
      code = code * 16 + static_cast<std::uint32_t>(digit);
      take();
    }
    return code;
  }

  std::string_view file_name_;
  std::string_view rest_;
  const environment& variables_;
  file_position here_;
  std::string key_;  ///< what an error is about
  std::vector<config_entry> entries_;
};

}  // namespace

std::string place_text(std::string_view file_name, file_position at) {
  return fmt::format("{}:{}:{}", printable(file_name), at.line, at.column);
}

std::vector<config_entry> parse_config(std::string_view file_name, std::string_view text,
                                       const environment& variables) {
  if (text.size() > max_config_bytes)
    throw usage_error(fmt::format("{}: a configuration file has at most 1 MiB", printable(file_name)));
  return parser(file_name, text, variables).parse();
}

std::string read_config(const std::string& path) {
  const auto refuse = [&](const std::string& why) -> usage_error {
    return usage_error(fmt::format("{}: the configuration file cannot be read: {}", printable(path), why));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file) throw refuse(std::generic_category().message(errno));
  std::string text(max_config_bytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) throw refuse(std::generic_category().message(errno));
  if (text.size() > max_config_bytes) throw refuse("it has more than 1 MiB");
  return text;
}

}  // namespace dynabackup::apps
