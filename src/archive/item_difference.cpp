#include "archive/item_difference.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "archive/canonical_order.hpp"
#include "dynabackup/attribute.hpp"

namespace dynabackup::archive {
namespace {

using kind = item_change::kind;
using changes = std::vector<item_change>;
using members = std::vector<attribute_member>;
using elements = std::vector<std::string_view>;

std::string_view unquoted(std::string_view text) { return text.substr(1, text.size() - 2); }
int order(std::string_view a, std::string_view b) { return compare_spelled(unquoted(a), unquoted(b)); }

/// Walks two sorted ranges: `gone` and `come` for what is on one side only, `both` for the rest.
template <class List, class Order, class Gone, class Come, class Both>
void merge(const List& before, const List& after, Order order, Gone gone, Come come, Both both) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    const int side = a == before.end() ? 1 : b == after.end() ? -1 : order(*a, *b);
    if (side < 0)
      gone(*a++);
    else if (side > 0)
      come(*b++);
    else
      both(*a++, *b++);
  }
}

void compare_values(item_change at, const attribute& before, const attribute& after, changes& out);

changes compare_maps(const members& before, const members& after) {
  changes out;
  const auto named = [](const attribute_member& m, kind what) { return item_change{what, std::string(m.name)}; };
  merge(
      before, after, [](const auto& a, const auto& b) { return order(a.name, b.name); },
      [&](const attribute_member& m) {
        out.push_back(named(m, kind::removed));
        out.back().before = m.value.text();
      },
      [&](const attribute_member& m) {
        out.push_back(named(m, kind::added));
        out.back().after = m.value.text();
      },
      [&](const attribute_member& a, const attribute_member& b) {
        compare_values(named(a, kind::replaced), a.value, b.value, out);
      });
  return out;
}

changes compare_lists(const elements& before, const elements& after) {
  const std::size_t shorter = std::min(before.size(), after.size());
  std::size_t head = 0;
  while (head < shorter && before[head] == after[head]) ++head;
  std::size_t tail = 0;
  while (tail < shorter - head && before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) ++tail;
  changes out;
  const auto element = [](std::size_t index, kind what) { return item_change{what, {}, index}; };
  if (before.size() == after.size()) {
    for (std::size_t i = head; i < before.size() - tail; ++i)
      compare_values(element(i, kind::replaced), attribute(before[i]), attribute(after[i]), out);
    return out;
  }
  out.reserve(before.size() + after.size() - 2 * (head + tail));
  for (std::size_t i = head; i < before.size() - tail; ++i) {
    out.push_back(element(i, kind::removed));
    out.back().before = before[i];
  }
  for (std::size_t i = head; i < after.size() - tail; ++i) {
    out.push_back(element(i, kind::added));
    out.back().after = after[i];
  }
  return out;
}

/// {"SS":[…]}, or nothing without elements.
std::string set_of(std::string_view type, const elements& strings) {
  if (strings.empty()) return {};
  std::string out = "{\"" + std::string(type) + "\":";
  char before = '[';
  for (const std::string_view s : strings) (out += std::exchange(before, ',')) += s;
  return out + "]}";
}

void compare_sets(item_change& at, const attribute& before, const attribute& after) {
  elements went;
  elements came;
  merge(
      before.elements(), after.elements(), [](std::string_view a, std::string_view b) { return order(a, b); },
      [&](std::string_view s) { went.push_back(s); }, [&](std::string_view s) { came.push_back(s); },
      [](std::string_view, std::string_view) {});
  at.what = kind::elements;
  at.before = set_of(before.type(), went);
  at.after = set_of(after.type(), came);
}

void compare_values(item_change at, const attribute& before, const attribute& after, changes& out) {
  if (before.text() == after.text()) return;
  const bool same_type = before.type() == after.type();
  if (same_type && before.is_set()) {
    compare_sets(at, before, after);
  } else if (same_type && before.type() == "M") {
    at.what = kind::inside;
    at.parts = compare_maps(before.members(), after.members());
  } else if (same_type && before.type() == "L") {
    at.what = kind::inside;
    at.parts = compare_lists(before.elements(), after.elements());
  } else {
    at.before = before.text();
    at.after = after.text();
  }
  out.push_back(std::move(at));
}

}  // namespace

std::vector<item_change> differences(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const auto attributes = [](std::string_view item) { return item.empty() ? members() : members_of(item); };
  return compare_maps(attributes(before), attributes(after));
}

}  // namespace dynabackup::archive
