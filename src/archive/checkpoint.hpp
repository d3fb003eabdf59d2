// checkpoints/: where an interrupted backfill or restore may go on (docs/format.md, "Checkpoints"). They follow the
// data: whatever one passes over is durably where it belongs. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/descriptor.hpp"

namespace dynabackup::archive {

/// Which table a checkpoint belongs to: all of it must be the same again.
struct table_identity {
  std::string arn;
  std::string id;
  std::string created;
  bool operator==(const table_identity&) const = default;
};
table_identity identify(const dynamodb::table_description& table);

/// How far a segment of the scan is settled. Segments that are not listed start at their beginning.
struct scan_position {
  std::uint32_t segment = 0;
  bool done = false;
  std::string next;  ///< ExclusiveStartKey of the next page, raw JSON
};

struct backfill_checkpoint {
  std::string run;  ///< id of the run that wrote it
  table_identity table;
  std::string stream_label;
  std::string started;  ///< of its run record: whoever resumes keeps it
  std::uint32_t segments = 0;
  std::vector<scan_position> positions;
  std::uint64_t items = 0;
  std::uint64_t written = 0;
  std::uint64_t present = 0;
  std::uint64_t differing = 0;
};
std::string write_checkpoint(const backfill_checkpoint& c);
/// format_error: not ours, damaged, or of a newer format.
backfill_checkpoint read_backfill_checkpoint(std::string_view body);

/// How many lines of a block are settled, from its first on.
struct block_position {
  std::uint64_t block = 0;
  std::uint64_t lines = 0;
};

struct restore_checkpoint {
  table_identity table;
  std::string snapshot;  ///< s3://bucket/key
  std::string etag;
  std::uint64_t size = 0;
  bool by_blocks = false;              ///< with a manifest; else by lines
  std::uint64_t blocks_done = 0;       ///< every block before this one is settled
  std::vector<block_position> blocks;  ///< of those behind it, what is settled
  std::uint64_t lines = 0;             ///< without a manifest: lines settled
  bool late = false;                   ///< a put that was sent may take effect after this was saved
  std::uint64_t refused = 0;           ///< items among what is settled that DynamoDB refused
};
std::string write_checkpoint(const restore_checkpoint& c);
restore_checkpoint read_restore_checkpoint(std::string_view body);

}  // namespace dynabackup::archive
