#include "item_text.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "apps/configuration/text_forms.hpp"
#include "columns.hpp"
#include "value_text.hpp"

namespace dynabackup::cli {
namespace {

using apps::grouped;
using kind = item_change::kind;

constexpr std::size_t longest_label = 24;
constexpr std::size_t step = 4;
constexpr std::size_t deepest = 32;  ///< columns of indentation; what is nested deeper stays there
constexpr std::size_t most_lines = 4;
constexpr std::size_t most_changes = 100;  ///< of one map or list
/// More than any line holds, and all that is looked at of what is cut.
constexpr std::size_t cut_bytes = most_lines * page_columns * 2;
/// What two long texts have in common at their start is left out but for this.
constexpr std::size_t context_bytes = 16;

/// Labels and values, a line or more each, the values of neighbours below one another.
class lines {
 public:
  /// `whole`: nothing is cut.
  explicit lines(bool whole) : whole_(whole) {}

  void item(std::string_view canonical) { members(step, members_of(canonical)); }

  void changes(std::size_t indent, const std::vector<item_change>& all) {
    const std::size_t count = std::min(all.size(), most_changes);
    std::size_t width = 0;
    for (std::size_t i = 0; i < count; ++i) width = std::max(width, label_width(label_of(all[i])));
    for (std::size_t i = 0; i < count; ++i) change(indent, width, all[i]);
    if (all.size() > count) put(indent, "", 0, {fmt::format("… and {} more changes", grouped(all.size() - count))});
  }

  std::string finish() { return std::move(out_); }

 private:
  static std::size_t label_width(const std::string& label) { return std::min(columns_of(label), longest_label); }
  static std::size_t deeper(std::size_t indent) { return std::min(indent + step, deepest); }

  static std::string label_of(const item_change& c) {
    const char* sign = c.what == kind::added ? "+ " : c.what == kind::removed ? "- " : "~ ";
    return sign + (c.name.empty() ? fmt::format("[{}]", c.index) : shown_name(c.name));
  }

  static std::size_t room(std::size_t indent, std::size_t width) { return page_columns - indent - width - 2; }

  /// "label  text", further lines below the first; where the label is too long for its column, all of them below it.
  void put(std::size_t indent, const std::string& label, std::size_t width, const std::vector<std::string>& text) {
    const bool beside = columns_of(label) <= width;
    if (!beside) label_alone(indent, label);
    const std::size_t column = column_of(indent, label, width);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const bool labelled = beside && i == 0;
      out_.append(labelled ? indent : column, ' ');
      if (labelled && width > 0) (out_ += label).append(width - columns_of(label) + 2, ' ');
      (out_ += text[i]) += '\n';
    }
  }
  static std::size_t column_of(std::size_t indent, const std::string& label, std::size_t width) {
    if (columns_of(label) > width) return indent + step;
    return indent + (width > 0 ? width + 2 : 0);
  }
  void label_alone(std::size_t indent, const std::string& label) {
    const std::vector<std::string> parts = wrapped(label, page_columns - indent - 1);
    for (std::size_t i = 0; i < (whole_ ? parts.size() : 1); ++i) {
      out_.append(indent, ' ');
      out_ += parts[i];
      out_ += !whole_ && parts.size() > 1 ? "…\n" : "\n";
    }
  }

  /// A value's lines, the last of them how much it is where it is cut.
  [[nodiscard]] std::vector<std::string> paragraph(const shown_value& value, const attribute& of,
                                                   std::size_t width) const {
    std::vector<std::string> parts = wrapped(value.text, width);
    if (value.more || (!whole_ && parts.size() > most_lines)) {
      parts.resize(std::min(parts.size(), most_lines - 1));
      parts.push_back("… (" + amount_of(of) + ")");
    }
    return parts;
  }

  [[nodiscard]] shown_value shown_here(const attribute& v) const { return shown(v, whole_ ? no_limit : cut_bytes); }

  /// On one line where it fits, else a map's members (and a list's, if they are maps or lists) below.
  void value(std::size_t indent, const std::string& label, std::size_t width, const attribute& v) {
    const shown_value brief = shown(v, page_columns);
    const bool fits = !brief.more && columns_of(label) <= width && columns_of(brief.text) <= room(indent, width);
    if (fits) return put(indent, label, width, {brief.text});
    if (v.type() == "M" && v.value() != "{}") {
      label_alone(indent, label);
      return members(deeper(indent), v.members());
    }
    if (v.type() == "L" && nested(v)) {
      label_alone(indent, label);
      return list(deeper(indent), v.elements());
    }
    put(indent, label, width, paragraph(shown_here(v), v, page_columns - column_of(indent, label, width)));
  }

  static bool nested(const attribute& list) {
    const auto elements = list.elements();
    return std::any_of(elements.begin(), elements.end(), [](std::string_view e) {
      const attribute v(e);
      return v.type() == "M" || v.type() == "L";
    });
  }

  template <class List, class Label, class Value>
  void each(std::size_t indent, const List& list, Label label, Value of) {
    const std::size_t count = whole_ ? list.size() : std::min(list.size(), most_changes);
    std::size_t width = 0;
    for (std::size_t i = 0; i < count; ++i) width = std::max(width, label_width(label(i)));
    for (std::size_t i = 0; i < count; ++i) value(indent, label(i), width, of(i));
    if (list.size() > count) put(indent, "", 0, {fmt::format("… and {} more", grouped(list.size() - count))});
  }
  void members(std::size_t indent, const std::vector<attribute_member>& all) {
    each(
        indent, all, [&](std::size_t i) { return shown_name(all[i].name); },
        [&](std::size_t i) { return all[i].value; });
  }
  void list(std::size_t indent, const std::vector<std::string_view>& all) {
    each(
        indent, all, [](std::size_t i) { return fmt::format("[{}]", i); },
        [&](std::size_t i) { return attribute(all[i]); });
  }

  void change(std::size_t indent, std::size_t width, const item_change& c) {
    const std::string label = label_of(c);
    switch (c.what) {
      case kind::added:
        return value(indent, label, width, attribute(c.after));
      case kind::removed:
        return value(indent, label, width, attribute(c.before));
      case kind::replaced:
        return replaced(indent, label, width, attribute(c.before), attribute(c.after));
      case kind::elements:
        return elements(indent, label, width, c);
      case kind::inside:
        label_alone(indent, label);
        return changes(deeper(indent), c.parts);
    }
  }

  void replaced(std::size_t indent, const std::string& label, std::size_t width, const attribute& before,
                const attribute& after) {
    shown_value old = shown_here(before);
    shown_value now = shown_here(after);
    const std::string both = old.text + " -> " + now.text;
    if (!old.more && !now.more && columns_of(label) <= width && columns_of(both) <= room(indent, width))
      return put(indent, label, width, {both});
    if (before.type() == "S" && after.type() == "S") skip_common_start(before, after, old, now);
    const std::size_t columns = page_columns - column_of(indent, label, width);
    std::vector<std::string> parts = paragraph(old, before, columns);
    std::string_view arrow = "-> ";
    for (const std::string& part : paragraph(now, after, columns - arrow.size())) {
      parts.push_back(std::string(arrow) + part);
      arrow = "   ";
    }
    put(indent, label, width, parts);
  }

  /// Two long texts are shown from shortly before where they begin to differ.
  static void skip_common_start(const attribute& before, const attribute& after, shown_value& old, shown_value& now) {
    const std::string_view a = before.value();
    const std::string_view b = after.value();
    const auto same = static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
    if (same < page_columns) return;
    const std::size_t from = head_of(a, same - context_bytes).size();
    for (const auto& [value, text] : {std::pair(a, &old), std::pair(b, &now)}) {
      const std::string_view rest = head_of(value.substr(from), cut_bytes);
      *text = {"\"…" + visible(rest), from + rest.size() < value.size()};
    }
  }

  void elements(std::size_t indent, const std::string& label, std::size_t width, const item_change& c) {
    std::vector<std::string> parts;
    const std::size_t columns = page_columns - column_of(indent, label, width);
    for (const auto& [word, set] : {std::pair("added ", &c.after), std::pair("removed ", &c.before)}) {
      if (set->empty()) continue;
      const attribute those(*set);
      shown_value text = shown_elements(those, cut_bytes);
      text.text.insert(0, word);
      for (std::string& part : paragraph(text, those, columns)) parts.push_back(std::move(part));
    }
    put(indent, label, width, parts);
  }

  bool whole_;
  std::string out_;
};

}  // namespace

std::string item_text(std::string_view item) {
  lines all(true);
  all.item(item);
  return all.finish();
}

std::string changes_text(const std::vector<item_change>& changes) {
  lines all(false);
  all.changes(2, changes);
  return all.finish();
}

}  // namespace dynabackup::cli
