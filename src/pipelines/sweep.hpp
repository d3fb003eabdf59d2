// The sweep that ends a backfill beside a stream (design section 6): If-None-Match holds over a delete marker too, so
// an item deleted between the scan's page and our PUT comes back. The table is the judge.
#pragma once
#include <string>

#include "dynabackup/report.hpp"
#include "dynabackup/s3_location.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

struct sweep_order {
  s3_location home;
  std::string table;
  dynamodb::key_schema key;
  s3::time_point since;     ///< start of the oldest run that is swept, by the bucket's clock
  bool conditional = true;  ///< the store has enforced If-None-Match all the while
  bool if_match = true;     ///< it enforces If-Match now
  std::string run_id;       ///< goes into the metadata of what is put
};

struct sweep_result {
  std::uint64_t left = 0;  ///< versions that should have gone and could not be removed or hidden
  bool unsettled = false;  ///< a PUT of the sweep may take effect once more: sweep again
};

/// Judges every version that a backfill wrote since then and that lies directly on a delete marker written since then
/// (where conditions are not enforced: on anything written since then). Counts and findings go to `out`.
task<sweep_result> sweep(run_context& run, sweep_order order, report& out);

}  // namespace dynabackup::pipelines
