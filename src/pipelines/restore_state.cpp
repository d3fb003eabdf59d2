#include "pipelines/restore_state.hpp"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <utility>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/request_errors.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {
namespace {

/// What was written after the last checkpoint is written again: a local file is cheap, a PUT is not.
constexpr std::chrono::milliseconds save_file_every{2}, save_object_every{2000};

}  // namespace

/// Named after what is restored where, so that the same command finds it again.
std::unique_ptr<checkpoint_store> restore_state::store() const {
  if (what.state.empty()) return nullptr;
  const std::string name = "restore-" + crypto::sha256_hex(file.name() + "\n" + table.arn).substr(0, 32);
  if (what.state != "s3") return checkpoint_in_folder(what.state, name);
  return checkpoint_in_bucket(run, what.from.bucket, archive::checkpoint_key(what.from, name));
}

archive::restore_checkpoint restore_state::start() const {
  archive::restore_checkpoint c;
  c.table = table;
  c.snapshot = file.name();
  c.etag = file.etag;
  c.size = file.size;
  c.by_blocks = by_blocks;
  return c;
}

std::string restore_state::unfit(const archive::restore_checkpoint& c) const {
  if (c.table != table) return "the table was recreated since";
  if (c.snapshot != file.name() || c.etag != file.etag || c.size != file.size) return "the snapshot was replaced since";
  if (c.by_blocks != by_blocks) return "the snapshot's manifest was added or removed since";
  return "";
}

s3::time_point restore_state::now() const { return what.state == "s3" ? run.objects.service_time() : run.clock.now(); }

task<archive::restore_checkpoint> restore_state::load() {
  const std::unique_ptr<checkpoint_store> from = store();
  if (!from) {
    if (what.resume)
      throw usage_error("--resume needs a place where checkpoints are kept: --state FOLDER or --state s3");
    co_return start();
  }
  std::optional<saved_checkpoint> saved = co_await from->load();
  if (!saved) {
    if (what.resume)
      throw no_checkpoint_error("there is no checkpoint of a restore of " + file.name() + " into " + what.table +
                                " at " + from->name() +
                                "; without --resume it begins at the start, which does no harm");
    co_return start();
  }
  archive::restore_checkpoint c;
  std::string damage;
  try {
    c = archive::read_restore_checkpoint(saved->body);
  } catch (const format_error& e) {
    damage = e.what();
  }
  const std::string why = damage.empty() ? unfit(c) : "";
  if (what.resume && !damage.empty())
    throw usage_error(from->name() + " cannot be used: " + damage + ". Restore without --resume");
  if (what.resume && !why.empty())
    throw conflict_error(from->name() + " is not of this restore: " + why, ". Restore without --resume");
  run.seen.resumable = damage.empty() && why.empty();
  silent = std::max(now() - saved->at, s3::time_point::duration::zero());
  if (by_blocks && !c.late) silent.reset();
  if (!what.resume) {
    run.seen.notices.push_back(
        "an earlier restore of this snapshot was interrupted; --resume would go on where it was");
    co_return start();
  }
  co_return c;
}

task<void> restore_state::wait_out_earlier() {
  if (!silent || *silent >= late_effects) co_return;
  const auto left = late_effects - *silent;
  run.seen.notices.push_back(fmt::format(
      "an earlier restore of this file stopped a moment ago; waiting {} s for its last requests to take effect",
      std::chrono::ceil<std::chrono::seconds>(left).count()));
  co_await wait_for(run, std::chrono::ceil<std::chrono::milliseconds>(left));
}

void restore_state::save_into(restore_progress& progress) {
  std::unique_ptr<checkpoint_store> to = store();
  if (to) progress.save_to(std::move(to), what.state == "s3" ? save_object_every : save_file_every);
}

}  // namespace dynabackup::pipelines
