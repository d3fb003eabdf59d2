// A moment in a bucket's past: a time, or so long ago by the bucket's own clock.
#pragma once
#include <chrono>
#include <optional>
#include <string_view>

namespace dynabackup {

struct moment {
  std::optional<std::chrono::sys_seconds> time;  ///< the end of that second is meant
  std::chrono::seconds ago{0};                   ///< where there is no time: before the bucket's now
};

/// RFC 3339 ("2026-11-22T11:45:03Z", "2026-11-22T12:45:03+01:00"; a fraction stands for its second), or a span before
/// now: "-90s", "-30m", "-2h", "-7d", "-1d12h" (w, d, h, m, s, the greatest first). nullopt for anything else.
std::optional<moment> parse_moment(std::string_view text);

}  // namespace dynabackup
