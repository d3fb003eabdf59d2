// What a follower came too late for, and the gap that it notes in the bucket (docs/format.md, "Gaps and dead letters").
#pragma once
#include <string>

#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Changes that can be had no more.
struct lost_changes {
  std::string name;   ///< the same for the same loss
  std::string shard;  ///< empty: not of one shard alone
  std::string after;  ///< sequence number of the last change before them; empty: not known
  std::string why;
};

struct followed_stream {
  std::string arn;
  std::string since;  ///< RFC 3339: until then all was recorded for sure; empty: not known
};

/// The same loss has the same name: found again after a restart it is told once. Another one since another time has
/// not.
task<void> note_gap(run_context& run, s3_location home, lost_changes lost, followed_stream of);

}  // namespace dynabackup::pipelines
