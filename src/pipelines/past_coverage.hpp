// Whether a bucket can tell what a table was at a past moment: what its run records, its gaps, its lifecycle rules and
// its versioning say about that moment (docs/format.md, "Past moments").
#pragma once
#include <chrono>

#include "dynabackup/moment.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {

/// The moment by the bucket's clock, as a second that is over: waits for that where it has just begun. usage_error when
/// it lies ahead.
task<std::chrono::sys_seconds> settle_moment(run_context& run, s3_location home, moment asked);

/// What lifecycle rules may have taken away of that moment by now; empty: nothing.
task<std::string> expired_at(run_context& run, s3_location home, std::chrono::sys_seconds at);

/// Everything that stands against telling the state at that moment, in `missing`.
task<coverage> coverage_at(run_context& run, s3_location home, std::chrono::sys_seconds at);

}  // namespace dynabackup::pipelines
