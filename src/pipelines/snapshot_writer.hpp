// Lines in, one object out: blocks of whole lines are compressed on their own, gathered to parts and uploaded.
// The object appears only when finish() completes it; whoever gives up abandons it.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/block_codec.hpp"
#include "archive/manifest.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/byte_budget.hpp"
#include "pipelines/run_context.hpp"
#include "runtime/semaphore.hpp"

namespace dynabackup::pipelines {

struct snapshot_target {
  std::string bucket;
  std::string key;
  s3_location home;  ///< the snapshots' prefix, where an upload is noted
  compression codec = compression::gzip;
  bool overwrite = false;
};

class snapshot_writer {
 public:
  /// `uploads` runs the part uploads; `parts` bounds their memory.
  snapshot_writer(run_context& run, snapshot_target target, runtime::in_flight& uploads, byte_budget& parts);

  /// Takes one line (without LF). Waits while no part may be begun for want of memory.
  task<void> add(std::string_view line);
  /// The last block and part, then the object. Blocks, sizes, sha256 and ETag are in the result.
  /// usage_error when an object of that name appeared meanwhile.
  task<archive::manifest> finish();
  /// Whether a multipart upload was begun and neither completed nor aborted.
  [[nodiscard]] bool unfinished() const { return !upload_id_.empty(); }
  /// Removes the note of the upload, once the manifest is written; not when a request whose answer was lost may have
  /// begun another upload: a later snapshot looks for that one.
  task<void> forget();
  /// Aborts it, once no part is on its way any more. A failure shows in unfinished().
  task<void> abandon();

  /// Part sizes of a multipart upload: doubled every 1,000 parts, so that 10,000 of them reach beyond 5 TiB.
  static std::size_t part_bytes(int number, std::size_t first = usual_part_bytes);

 private:
  [[nodiscard]] std::size_t block_bytes() const;
  [[nodiscard]] std::size_t next_part_bytes() const { return part_bytes(next_part_, run_.part_bytes); }
  task<void> close_block();
  task<void> cut_part();
  task<s3::put_result> complete();
  [[nodiscard]] s3::put_options describe() const;
  task<void> upload(int number, std::string body, byte_budget::charge charge);

  run_context& run_;
  snapshot_target target_;
  std::string id_;  // metadata of our object
  runtime::in_flight& uploads_;
  byte_budget& parts_;
  archive::block_writer codec_;
  runtime::semaphore turn_{1};  // add() may wait in the middle: one line after the other
  std::string raw_;
  std::uint64_t raw_items_ = 0;
  std::string packed_;
  byte_budget::charge packed_charge_;
  std::string upload_id_;
  bool noted_ = false;
  bool another_possible_ = false;  // upload of that name, begun by us and unknown
  int next_part_ = 1;
  std::vector<s3::part> done_;
  crypto::sha256_stream sha256_;
  archive::manifest manifest_;
};

}  // namespace dynabackup::pipelines
