// Stretches of the stream that were missing at a past moment, also those that were removed since: the versions of
// gaps/ and dead-letter/ tell (docs/format.md, "Gaps and dead letters").
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// One that was open at the end of that second, by its name; nullopt: none was.
task<std::optional<std::string>> open_gap_at(run_context& run, s3_location home, std::chrono::sys_seconds at);

}  // namespace dynabackup::pipelines
