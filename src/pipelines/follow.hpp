// follow: the table's stream, read and recorded as long as it goes on.
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Ends when the stream does, or with `report::interrupted` when that is requested.
task<report> follow(run_context& run, follow_options what);

}  // namespace dynabackup::pipelines
