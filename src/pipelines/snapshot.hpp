// The current state of an incremental bucket as one object of independent blocks, with a manifest.
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

task<report> snapshot(run_context& run, snapshot_options what);

}  // namespace dynabackup::pipelines
