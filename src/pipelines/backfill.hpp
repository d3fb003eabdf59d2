// Every item of a table to its own object in the incremental bucket, in parallel segments, with bounded memory.
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

task<report> backfill(run_context& run, backfill_options what);

}  // namespace dynabackup::pipelines
