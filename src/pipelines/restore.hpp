// Every item of a snapshot into an existing table. A snapshot of ours is read by blocks in parallel; any other file
// from its start to its end, where the last line of a key wins.
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

task<report> restore(run_context& run, restore_options what);

}  // namespace dynabackup::pipelines
