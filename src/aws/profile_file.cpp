#include "aws/profile_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

constexpr std::string_view blanks = " \t\r\v\f";

bool is_blank(char c) { return blanks.find(c) != std::string_view::npos; }

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_comment_mark(char c) { return c == '#' || c == ';'; }

// In a value a comment begins only after white space: "a;b" is a value.
std::string_view without_comment(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (is_comment_mark(text[i]) && is_blank(text[i - 1])) return text.substr(0, i);
  }
  return text;
}

bool is_name(std::string_view text) {
  constexpr std::string_view marks = "_-/.%@:+";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

struct property_line {
  std::string_view name;
  std::string_view value;
  const char* problem = nullptr;  // "has no '='", "has no name"
};

property_line split_property(std::string_view line) {
  const auto equals = line.find('=');
  if (equals == std::string_view::npos) return {{}, {}, "lacks the '=' sign that defines a property"};
  const auto name = trim(line.substr(0, equals));
  if (name.empty()) return {{}, {}, "has no property name before its '='"};
  return {name, trim(line.substr(equals + 1)), nullptr};
}

// One file, line by line. Sections that do not count are read like the others (their syntax errors are errors) and
// then forgotten.
class file_reader {
 public:
  enum class kind { config, credentials };

  file_reader(kind what, std::vector<std::string>& warnings) : kind_(what), warnings_(warnings) {}

  void read(std::string_view text) {
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    while (!text.empty()) {
      const auto end = text.find('\n');
      ++line_number_;
      read_line(text.substr(0, end));
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
  }

  /// "[profile default]" beats "[default]" wholesale.
  void merge_into(profile_set& out) {
    if (bare_default_ && !profiles_.contains("default")) profiles_["default"] = std::move(*bare_default_);
    merge(std::move(profiles_), out.profiles);
    merge(std::move(sso_sessions_), out.sso_sessions);
    merge(std::move(services_), out.services);
  }

 private:
  using sections = std::map<std::string, properties, std::less<>>;

  static void merge(sections from, sections& into) {
    for (auto& [name, values] : from) {
      auto& section = into[name];
      for (auto& [key, value] : values) section.insert_or_assign(key, std::move(value));
    }
  }

  void read_line(std::string_view line) {
    const auto text = trim(line);
    if (text.empty() || is_comment_mark(line.front())) return;
    if (line.front() == '[') return read_section(text);
    if (is_blank(line.front())) return read_continuation(text);
    read_property(text);
  }

  void read_section(std::string_view text) {
    const auto header = trim(text.substr(0, text.find_first_of("#;")));
    if (!header.ends_with(']')) fail("begins a section whose definition does not end with ']'");
    property_ = nullptr;
    section_ = place_of(trim(header.substr(1, header.size() - 2)));
  }

  properties* place_of(std::string_view title) {
    if (kind_ == kind::credentials) return is_name(title) ? &profiles_[std::string(title)] : drop(title);
    if (title == "default") return &(bare_default_ ? *bare_default_ : bare_default_.emplace());
    const auto word_end = title.find_first_of(blanks);
    if (word_end == std::string_view::npos) return drop(title);
    const auto type = title.substr(0, word_end);
    const auto name = trim(title.substr(word_end));
    if (!is_name(name)) return drop(title);
    if (type == "profile") return &profiles_[std::string(name)];
    if (type == "sso-session") return &sso_sessions_[std::string(name)];
    if (type == "services") return &services_[std::string(name)];
    return drop(title);
  }

  properties* drop(std::string_view title) {
    const bool printable =
        title.size() <= 100 && std::all_of(title.begin(), title.end(), [](char c) { return c >= ' ' && c <= '~'; });
    warn(printable ? fmt::format("the section [{}] is not one this file can have and is ignored", title)
                   : std::string("a section with an unusable name is ignored"));
    dropped_.clear();
    return &dropped_;
  }

  void read_property(std::string_view text) {
    if (section_ == nullptr) fail("comes before the first [section]; expected a profile definition");
    const auto line = split_property(trim(without_comment(text)));
    if (line.problem != nullptr) fail(line.problem);
    if (!is_name(line.name)) {
      // The name itself is not told: in a garbled file it may be half a secret.
      warn("a property whose name has unusable characters is ignored");
      ignored_value_ = line.value;
      property_ = &ignored_value_;
      return;
    }
    property_ = &section_->insert_or_assign(lower(line.name), std::string(line.value)).first->second;
  }

  void read_continuation(std::string_view text) {
    if (property_ == nullptr && is_comment_mark(text.front())) return;
    if (section_ == nullptr) fail("is indented before the first [section]; expected a profile definition");
    if (property_ == nullptr) fail("is indented as a continuation, but no property comes before it in its section");
    if (property_->empty() || property_->front() == '\n') {
      if (is_comment_mark(text.front())) return;
      const auto line = split_property(text);
      if (line.problem != nullptr) fail(fmt::format("{} (in a block of sub-properties)", line.problem));
    }
    property_->push_back('\n');
    property_->append(text);
  }

  [[nodiscard]] const char* file_name() const { return kind_ == kind::config ? "config file" : "credentials file"; }

  void warn(std::string_view what) {
    if (warnings_.size() < most_warnings) {
      warnings_.push_back(fmt::format("AWS {}, line {}: {}", file_name(), line_number_, what));
    }
  }

  [[noreturn]] void fail(std::string_view what) const {
    throw format_error(fmt::format("AWS {}: line {} {}", file_name(), line_number_, what));
  }

  static constexpr std::size_t most_warnings = 100;
  kind kind_;
  std::vector<std::string>& warnings_;
  std::size_t line_number_ = 0;
  sections profiles_, sso_sessions_, services_;
  std::optional<properties> bare_default_;
  properties dropped_;
  std::string ignored_value_;
  properties* section_ = nullptr;
  std::string* property_ = nullptr;
};

}  // namespace

profile_set parse_profiles(std::string_view config_file, std::string_view credentials_file) {
  profile_set out;
  file_reader config(file_reader::kind::config, out.warnings);
  config.read(config_file);
  config.merge_into(out);
  file_reader credentials(file_reader::kind::credentials, out.warnings);
  credentials.read(credentials_file);
  credentials.merge_into(out);
  return out;
}

properties sub_properties(std::string_view value) {
  properties out;
  if (!value.starts_with('\n')) return out;
  while (!value.empty()) {
    const auto end = value.find('\n');
    const auto line = split_property(trim(without_comment(value.substr(0, end))));
    if (line.problem == nullptr) out.insert_or_assign(lower(line.name), std::string(line.value));
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
  }
  return out;
}

std::optional<std::string> value_of(const properties& from, std::string_view name) {
  const auto found = from.find(name);
  if (found == from.end() || found->second.empty()) return std::nullopt;
  return found->second;
}

}  // namespace dynabackup::aws
