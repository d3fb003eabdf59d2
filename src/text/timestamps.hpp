// Points in time as the protocols write them; always UTC.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::text {

using millis = std::chrono::sys_time<std::chrono::milliseconds>;

std::string amz_date(millis t);       ///< 20261122T114503Z (SigV4)
std::string rfc3339(millis t);        ///< 2026-11-22T11:45:03Z, with .mmm when not a whole second
std::string snapshot_name(millis t);  ///< 2026-11-22T11-45-03Z
/// RFC 3339 with fraction and offset ("Z", "+01:00"), as S3's XML and credentials files write it.
std::optional<millis> parse_rfc3339(std::string_view text);
/// IMF-fixdate of RFC 9110 5.6.7 ("Sun, 22 Nov 2026 11:45:03 GMT"): Date and Last-Modified.
std::optional<millis> parse_http_date(std::string_view text);

}  // namespace dynabackup::text
