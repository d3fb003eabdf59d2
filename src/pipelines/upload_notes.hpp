// Multipart uploads cost until they are completed or aborted, and a process that is killed does neither. Each leaves a
// note first; a later snapshot aborts what notes older than a day speak of.
#pragma once
#include <string>

#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Before CreateMultipartUpload. `home`: the snapshots' prefix; `id`: this run's own.
task<void> note_upload(run_context& run, s3_location home, std::string id, std::string key);

/// The upload was completed or aborted.
task<void> forget_upload(run_context& run, s3_location home, std::string id);

/// Aborts the uploads that notes older than a day speak of, and removes those notes. Whoever may not do that is told.
task<void> abort_abandoned_uploads(run_context& run, s3_location home);

}  // namespace dynabackup::pipelines
