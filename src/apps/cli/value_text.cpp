#include "value_text.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "apps/configuration/text_forms.hpp"
#include "columns.hpp"

namespace dynabackup::cli {
namespace {

using apps::grouped;

/// Longer ones are mostly zeros: 38 digits, a sign, a point and a few zeros are shown as they are.
constexpr std::size_t longest_plain_number = 44;

std::string number_text(std::string_view plain) {
  if (plain.size() <= longest_plain_number) return std::string(plain);
  const bool negative = plain.starts_with('-');
  if (negative) plain.remove_prefix(1);
  const std::size_t whole = std::min(plain.find('.'), plain.size());
  std::string digits(plain);
  if (whole < plain.size()) digits.erase(whole, 1);
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
  const auto exponent = static_cast<long>(whole) - 1 - static_cast<long>(first);
  digits = digits.substr(first, std::max(digits.find_last_not_of('0') + 1, first + 1) - first);
  if (digits.size() > 1) digits.insert(1, ".");
  return fmt::format("{}{}E{:+}", negative ? "-" : "", digits, exponent);
}

std::size_t bytes_of(std::string_view base64) {
  return base64.size() / 4 * 3 - static_cast<std::size_t>(std::count(base64.begin(), base64.end(), '='));
}

/// Appends to a text until it is longer than the limit.
class value_writer {
 public:
  explicit value_writer(std::size_t limit) : limit_(limit) {}

  void value(const attribute& v) {
    if (v.type() == "S")
      add(v.value());
    else if (v.type() == "N")
      out_.text += number_text(v.string());
    else if (v.type() == "B")
      binary(v.string());
    else if (v.type() == "NULL")
      out_.text += "null";
    else if (v.type() == "BOOL")
      out_.text += v.value();
    else if (v.type() == "M")
      map(v);
    else if (v.type() == "L")
      list(v);
    else
      set(v);
  }

  void elements(const attribute& set) {
    each(set.elements(), [&](std::string_view quoted) {
      const std::string_view inside = quoted.substr(1, quoted.size() - 2);
      if (set.type() == "NS")
        out_.text += number_text(inside);
      else
        add(set.type() == "SS" ? quoted : inside);
    });
  }

  shown_value finish() { return std::move(out_); }

 private:
  [[nodiscard]] bool full() {
    out_.more = out_.more || out_.text.size() > limit_;
    return out_.more;
  }
  void add(std::string_view json) {
    const std::size_t room = limit_ - std::min(limit_, out_.text.size());
    const std::string_view head = head_of(json, room);
    out_.text += visible(head);
    out_.more = out_.more || head.size() < json.size();
  }
  void binary(std::string_view base64) {
    out_.text += "binary ";
    add(base64);
    if (!full()) out_.text += fmt::format("{}({} bytes)", base64.empty() ? "" : " ", grouped(bytes_of(base64)));
  }
  template <class List, class Write>
  void each(const List& list, Write write) {
    bool first = true;
    for (const auto& element : list) {
      if (full()) return;
      if (!first) out_.text += ", ";
      first = false;
      write(element);
    }
  }
  void map(const attribute& v) {
    out_.text += '{';
    each(v.members(), [&](const attribute_member& m) {
      out_.text += shown_name(m.name) + ": ";
      value(m.value);
    });
    out_.text += '}';
  }
  void list(const attribute& v) {
    out_.text += '[';
    each(v.elements(), [&](std::string_view element) { value(attribute(element)); });
    out_.text += ']';
  }
  void set(const attribute& v) {
    out_.text += std::string(v.type()) + " {";
    elements(v);
    out_.text += '}';
  }

  std::size_t limit_;
  shown_value out_;
};

}  // namespace

shown_value shown(const attribute& value, std::size_t limit) {
  value_writer writer(limit);
  writer.value(value);
  return writer.finish();
}

shown_value shown_elements(const attribute& set, std::size_t limit) {
  value_writer writer(limit);
  writer.elements(set);
  return writer.finish();
}

std::string amount_of(const attribute& value) {
  const auto counted = [](std::size_t count, const char* what) {
    return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
  };
  if (value.type() == "S") return counted(characters_in(value.string()), "character");
  if (value.type() == "B") return counted(bytes_of(value.string()), "byte");
  if (value.type() == "M") return counted(value.members().size(), "attribute");
  if (value.type() == "L" || value.is_set()) return counted(value.elements().size(), "element");
  return counted(value.value().size(), "character");
}

std::string shown_name(std::string_view quoted) {
  const std::string_view name = quoted.substr(1, quoted.size() - 2);
  const auto special = [](char c) { return std::string_view(" \"\\:,{}[]'").find(c) != std::string_view::npos; };
  const std::string text = visible(name);
  const bool plain = !name.empty() && text.size() == name.size() && std::none_of(name.begin(), name.end(), special);
  return plain ? text : '"' + text + '"';
}

}  // namespace dynabackup::cli
