// The snapshot a restore reads from, and where its items go: shared by the two readers.
#pragma once
#include <cstdint>
#include <string>

#include "archive/manifest.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/batch_writer.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

struct snapshot_file {
  std::string bucket;
  std::string key;
  std::string etag;  ///< every range is read with If-Match: one and the same object from start to end
  std::uint64_t size = 0;
  [[nodiscard]] std::string name() const { return "s3://" + bucket + "/" + key; }
};

struct restore_target {
  run_context& run;
  report& out;
  std::string table;
  dynamodb::key_schema key;
  batch_writer& writer;
  restore_progress& progress;
  runtime::in_flight& writes;
  byte_budget& chunks;   ///< bytes read and unpacked
  byte_budget& batches;  ///< request bodies
};

/// Our own snapshot: blocks in parallel, each checked against the manifest before an item of it is written.
/// `done_before`: so many blocks from the start are settled already.
task<void> restore_blocks(restore_target& to, snapshot_file from, archive::manifest what, std::uint64_t done_before);

/// Any other file: from start to end, compression by magic; the last line of a key wins.
task<void> restore_foreign(restore_target& to, snapshot_file from);

}  // namespace dynabackup::pipelines
