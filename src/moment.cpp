#include "dynabackup/moment.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "text/timestamps.hpp"

namespace dynabackup {
namespace {

struct unit {
  char letter;
  std::chrono::seconds length;
};
constexpr std::array<unit, 5> units{{{'w', std::chrono::hours{24 * 7}},
                                     {'d', std::chrono::hours{24}},
                                     {'h', std::chrono::hours{1}},
                                     {'m', std::chrono::minutes{1}},
                                     {'s', std::chrono::seconds{1}}}};
/// A thousand years: a slip of the hand is told, not reckoned with.
constexpr std::chrono::hours longest_span{24 * 365'000};

/// "2h", "1d12h": each unit at most once, the greatest first.
std::optional<std::chrono::seconds> parse_span(std::string_view text) {
  std::chrono::seconds sum{0};
  const unit* next = units.data();
  const unit* const end = units.data() + units.size();
  while (!text.empty()) {
    std::uint32_t count = 0;
    const auto [letter, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (problem != std::errc{} || letter == text.data() + text.size()) return std::nullopt;
    const unit* const found = std::find_if(next, end, [c = *letter](const unit& u) { return u.letter == c; });
    if (found == end) return std::nullopt;
    sum += std::int64_t{count} * found->length;
    next = found + 1;
    text.remove_prefix(static_cast<std::size_t>(letter - text.data()) + 1);
  }
  return sum <= longest_span ? std::optional(sum) : std::nullopt;
}

}  // namespace

std::optional<moment> parse_moment(std::string_view spelled) {
  if (spelled.starts_with('-')) {
    const auto span = spelled.size() > 1 ? parse_span(spelled.substr(1)) : std::nullopt;
    if (!span) return std::nullopt;
    return moment{std::nullopt, *span};
  }
  const std::optional<text::millis> time = text::parse_rfc3339(spelled);
  if (!time) return std::nullopt;
  return moment{std::chrono::floor<std::chrono::seconds>(*time), {}};
}

}  // namespace dynabackup
