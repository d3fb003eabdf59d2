// What an incremental bucket held at a past moment, into an existing table, without a file between.
#pragma once
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Puts every item of that state; what else the table holds stays. Nothing is noted on the way: a run that was
/// interrupted is run again, with the moment spelled as a time. What shows that the state cannot be told only while it
/// is read, with items already written, is told (not covered) and not refused.
task<report> restore_past(run_context& run, past_restore_options what);

}  // namespace dynabackup::pipelines
