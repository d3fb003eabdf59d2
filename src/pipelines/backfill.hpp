// Every item of a table to its own object, never over what the stream wrote (design section 6).
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

task<report> backfill(run_context& run, backfill_options what);

}  // namespace dynabackup::pipelines
