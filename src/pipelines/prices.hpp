// What AWS lists for the requests we make: us-east-1, November 2026, in dollars. Other regions cost up to twice that.
#pragma once

namespace dynabackup::pipelines::prices {

inline constexpr double put = 0.005 / 1000;   ///< PUT, LIST, POST
inline constexpr double get = 0.0004 / 1000;  ///< GET, HEAD
inline constexpr double read_unit = 0.125 / 1'000'000;
inline constexpr double write_unit = 0.625 / 1'000'000;

}  // namespace dynabackup::pipelines::prices
