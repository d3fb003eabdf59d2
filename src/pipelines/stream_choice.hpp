// Which stream of a table follow reads: what a first start must know of, and what comes behind a stream that ended.
#pragma once
#include <string>

#include "archive/checkpoint.hpp"
#include "dynabackup/s3_location.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/lost_changes.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

[[noreturn]] void refuse_without_stream(const std::string& table);

/// Switches a stream on and waits until it is there, or has been for somebody else.
task<dynamodb::table_description> enable_stream(run_context& run, std::string table);

/// The backfills of a prefix count on every change since they began.
struct backfilled_since {
  s3::time_point at{};  ///< now, where there is none
  std::string missing;  ///< why changes since then may be missing from the stream; empty: they are all there
};
task<backfilled_since> changes_wanted(run_context& run, s3_location home, std::string stream_label);

/// What became of a table whose stream ended.
struct table_now {
  enum class fate { there, deleted, replaced };
  fate what = fate::there;
  dynamodb::table_description table{};
};
/// error when the table says after a while still that `ended` is its stream.
task<table_now> look_behind(run_context& run, std::string table, archive::table_identity before, std::string ended);

lost_changes switched(const std::string& from, const std::string& to);

}  // namespace dynabackup::pipelines
