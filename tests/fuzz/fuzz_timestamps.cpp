// What the parsers take must come out of the formatter and go in again unchanged.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "dynabackup/moment.hpp"
#include "text/timestamps.hpp"

using namespace dynabackup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (const auto& moment : {text::parse_rfc3339(input), text::parse_http_date(input)}) {
    if (!moment) continue;
    const std::string written = text::rfc3339(*moment);
    // An offset can carry a moment out of the years that RFC 3339 can write.
    const bool four_digit_year = written.size() >= 20 && written[0] != '-' && written[4] == '-';
    if (four_digit_year && text::parse_rfc3339(written) != moment) std::abort();
    if (text::amz_date(*moment).empty() || text::snapshot_name(*moment).empty()) std::abort();
  }
  if (const auto given = parse_moment(input)) {
    constexpr std::chrono::hours thousand_years{24 * 365'000};
    if (given->ago < std::chrono::seconds{0} || given->ago > thousand_years) std::abort();
    if (given->time && given->ago != std::chrono::seconds{0}) std::abort();
  }
  return 0;
}
