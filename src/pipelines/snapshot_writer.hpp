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
  /// Removes the note of the upload, once the manifest is written.
  task<void> forget();
  /// Aborts it, once no part is on its way any more. A failure shows in unfinished().
  task<void> abandon();

  /// Part sizes of a multipart upload: 8 MiB, doubled every 1,000 parts, 10,000 of them reach beyond 5 TiB.
  static std::size_t part_bytes(int number);

 private:
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
  int next_part_ = 1;
  std::vector<s3::part> done_;
  crypto::sha256_stream sha256_;
  archive::manifest manifest_;
};

}  // namespace dynabackup::pipelines
