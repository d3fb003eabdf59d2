// The end of a backfill: the sweep, once every late effect is over, and the records of the runs it speaks for.
#pragma once
#include <optional>

#include "archive/run_record.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/s3_location.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/run_context.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {

struct close_order {
  s3_location home;
  dynamodb::table_description table;
  std::optional<archive::run_record> own;  ///< the run that ends here; absent: only others are closed (--sweep)
  bool recorded = false;                   ///< somebody may delete objects: a stream is, or was, there
  std::optional<runtime::clock::steady_time> late_until{};  ///< a write of this run may take effect until then
};

/// Waits out late effects, sweeps from the start of the oldest run that was left open, saves those runs as swept and
/// removes their checkpoints. A run that still gives signs of life is left alone, with a warning.
task<void> close_runs(run_context& run, close_order order, run_book& book, report& out);

bool has_new_images(const dynamodb::table_description& t);

}  // namespace dynabackup::pipelines
