// history and show: the versions of one item, found by its key, told to a listener one by one.
#pragma once
#include "dynabackup/item_versions.hpp"
#include "dynabackup/report.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

struct item_order {
  item_options what;
  item_listener& to;  ///< outlives the task
};

/// Every version, newest first, each compared with the one before it. Needs a versioned bucket. Memory: a few bodies.
task<report> history(run_context& run, item_order order);

/// The version that was current at a moment, by arrival in the bucket; none if nothing had arrived.
task<report> show(run_context& run, item_order order);

}  // namespace dynabackup::pipelines
