// Where a restore keeps its checkpoint, and whether it goes on from the one that is there.
#pragma once
#include <optional>

#include "archive/checkpoint.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/restore_progress.hpp"
#include "pipelines/snapshot_file.hpp"

namespace dynabackup::pipelines {

struct restore_state {
  run_context& run;
  const restore_options& what;
  archive::table_identity table;
  const snapshot_file& file;
  bool by_blocks;
  std::optional<s3::time_point::duration> silent{};  ///< how old the checkpoint of such an earlier run was at load()

  /// Where to go on; at the start unless `what.resume`. usage_error when there is nothing to resume or the checkpoint
  /// is of another table, another snapshot or another version of it.
  task<archive::restore_checkpoint> load();
  /// What an earlier run sent last must not land behind what this one sends, where keys may repeat (a file that is not
  /// ours), nor behind the end of this one. Until then nothing is saved: the wait goes by the checkpoint's age.
  task<void> wait_out_earlier();
  void save_into(restore_progress& progress);

 private:
  [[nodiscard]] std::unique_ptr<checkpoint_store> store() const;
  [[nodiscard]] archive::restore_checkpoint start() const;
  [[nodiscard]] std::string unfit(const archive::restore_checkpoint& c) const;
  [[nodiscard]] s3::time_point now() const;
};

}  // namespace dynabackup::pipelines
