// recorder.json: who follows the table's stream, and how far every shard is recorded (docs/format.md, "Recorder").
// The positions follow the data: whatever one passes over is durably where it belongs. Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/checkpoint.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup::archive {

struct shard_position {
  std::string shard;
  std::string parent;    ///< empty: none
  bool done = false;     ///< recorded to its end
  std::string sequence;  ///< of the last record that is recorded; empty: none yet
};

struct recorder_state {
  std::string owner;         ///< id of the run that holds the lease; empty: nobody does
  std::string writer{};      ///< of the one that wrote this, also to give the lease back
  std::uint64_t serial = 0;  ///< one more with every write, so that no two are equal
  table_identity table;
  std::string stream_arn;  ///< empty: no stream was followed yet
  bool ended = false;      ///< the stream is disabled and recorded to its end
  std::string read_at;     ///< RFC 3339, UTC, the bucket's clock: what the stream told until then is recorded, or a gap
  std::vector<shard_position> shards;
};

/// error: more shards than read_recorder_state takes.
std::string write_recorder_state(const recorder_state& s);
/// format_error: not ours, damaged, or of a newer format.
recorder_state read_recorder_state(std::string_view body);
std::string recorder_key(const s3_location& home);

}  // namespace dynabackup::archive
