// runs/<id>.json: one record a backfill (docs/format.md, "Run records"). Pure.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace dynabackup::archive {

struct run_record {
  int format = 1;
  std::string id;
  std::string table_arn;
  std::string started;       ///< RFC 3339, UTC: the bucket's clock at the first write of this record, less 5 minutes
  std::string ended;         ///< empty while the run is open
  bool finished = false;     ///< every item of the table was settled
  bool swept = false;        ///< no deletion can have been undone by this run
  std::string stream_label;  ///< of the table's enabled stream at the start; empty: none
  bool changes_recorded = false;    ///< a stream with new images was enabled, the same at start and end
  bool conditional_writes = false;  ///< the store enforced If-None-Match
  std::uint64_t items = 0;
  std::uint64_t written = 0;
  std::uint64_t present = 0;
  std::uint64_t differing = 0;
};

std::string write_run_record(const run_record& r);
run_record read_run_record(std::string_view body);

}  // namespace dynabackup::archive
