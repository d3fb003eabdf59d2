#include "text/moment.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace dynabackup::text {
namespace {

using std::chrono::milliseconds;

struct unit {
  char letter;
  milliseconds length;
};
constexpr std::array<unit, 5> units{{{'w', std::chrono::hours{24 * 7}},
                                     {'d', std::chrono::hours{24}},
                                     {'h', std::chrono::hours{1}},
                                     {'m', std::chrono::minutes{1}},
                                     {'s', std::chrono::seconds{1}}}};

/// So many weeks are far from the end of what milliseconds can count.
constexpr std::size_t most_digits = 9;

/// "1d12h"
std::optional<milliseconds> parse_span(std::string_view text) {
  milliseconds sum{0};
  const unit* next = units.data();
  while (!text.empty()) {
    std::size_t digits = 0;
    std::int64_t number = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (digits == most_digits) return std::nullopt;
      number = number * 10 + (text[digits] - '0');
    }
    if (digits == 0 || digits == text.size()) return std::nullopt;
    const unit* const end = units.data() + units.size();
    const unit* const found = std::find_if(next, end, [&](const unit& u) { return u.letter == text[digits]; });
    if (found == end) return std::nullopt;
    sum += number * found->length;
    next = found + 1;
    text.remove_prefix(digits + 1);
  }
  return sum;
}

}  // namespace

millis moment::by(millis now) const { return std::max(absolute ? *absolute : now - back, millis{}); }

std::optional<moment> parse_moment(std::string_view text) {
  if (text.starts_with('-')) {
    const auto back = text.size() > 1 ? parse_span(text.substr(1)) : std::nullopt;
    return back ? std::optional(moment{std::nullopt, *back}) : std::nullopt;
  }
  const auto absolute = parse_rfc3339(text);
  return absolute ? std::optional(moment{absolute, {}}) : std::nullopt;
}

}  // namespace dynabackup::text
