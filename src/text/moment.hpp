// A point in time as a user gives it: in full, or as a span back from a clock that is asked later. Pure.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

#include "text/timestamps.hpp"

namespace dynabackup::text {

struct moment {
  std::optional<millis> absolute;
  std::chrono::milliseconds back{};  ///< where there is no absolute time

  /// The time meant, by a clock that says `now`; never before 1970.
  [[nodiscard]] millis by(millis now) const;
};

/// RFC 3339, or "-2h", "-90s", "-1d12h": numbers with w, d, h, m, s, each unit at most once, the greatest first.
std::optional<moment> parse_moment(std::string_view text);

}  // namespace dynabackup::text
