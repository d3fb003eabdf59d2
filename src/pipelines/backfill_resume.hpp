// Which checkpoint, if any, a backfill goes on from.
#pragma once
#include <optional>

#include "archive/checkpoint.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// The newest checkpoint at `home` that fits this table, its stream and the options, is under 24 hours old and belongs
/// to a run that is still open. A notice tells why one that is there is not used.
task<std::optional<archive::backfill_checkpoint>> find_checkpoint(run_context& run, s3_location home,
                                                                  dynamodb::table_description table);

}  // namespace dynabackup::pipelines
