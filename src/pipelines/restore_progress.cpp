#include "pipelines/restore_progress.hpp"

#include <algorithm>
#include <utility>

#include "dynabackup/error.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {

void restore_progress::save_to(std::unique_ptr<checkpoint_store> store, std::chrono::milliseconds every) {
  store_ = std::move(store);
  every_ = every;
  last_saved_ = run_.clock.steady_now();
}

std::uint64_t restore_progress::settled_before(std::uint64_t block) const {
  const auto found = std::find_if(base_.blocks.begin(), base_.blocks.end(),
                                  [block](const archive::block_position& p) { return p.block == block; });
  return found == base_.blocks.end() ? 0 : found->lines;
}

std::shared_ptr<settled_prefix> restore_progress::begin_block(std::uint64_t block, std::uint64_t lines) {
  auto settled = std::make_shared<settled_prefix>();
  blocks_.emplace(block, begun_block{lines, settled_before(block), settled});
  return settled;
}

std::shared_ptr<settled_prefix> restore_progress::begin_lines() {
  lines_ = std::make_shared<settled_prefix>();
  return lines_;
}

archive::restore_checkpoint restore_progress::now() {
  archive::restore_checkpoint c = base_;
  c.blocks.clear();
  c.late = late_until_ && run_.clock.steady_now() < *late_until_;
  if (lines_) {
    c.lines += lines_->units();
    c.refused += lines_->refused();
  }
  // Blocks that were under way before and have not been begun again stand as they stood.
  for (const archive::block_position& p : base_.blocks)
    if (!blocks_.contains(p.block)) c.blocks.push_back(p);
  for (const auto& [number, b] : blocks_) {
    c.refused += b.settled->refused();
    const std::uint64_t lines = b.before + b.settled->units();
    if (lines > 0) c.blocks.push_back({number, lines});
  }
  std::sort(c.blocks.begin(), c.blocks.end(), [](const auto& a, const auto& b) { return a.block < b.block; });
  return c;
}

task<void> restore_progress::wait_out_late_writes() {
  if (!late_until_) co_return;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(*late_until_ - run_.clock.steady_now());
  if (left.count() <= 0) co_return;
  run_.seen.notices.push_back("a write whose answer was lost may take effect once more: waiting " +
                              std::to_string(std::chrono::ceil<std::chrono::seconds>(left).count()) + " s");
  co_await wait_for(run_, left);
}

task<void> restore_progress::save_if_due() {
  if (!saves() || saving_ || run_.clock.steady_now() - last_saved_ < every_) co_return;
  co_await save();
}

task<void> restore_progress::save() {
  if (!saves()) co_return;
  // Whole blocks from the start need no line of their own: the file stays small however long the snapshot is.
  while (!blocks_.empty() && blocks_.begin()->first == base_.blocks_done &&
         blocks_.begin()->second.before + blocks_.begin()->second.settled->units() == blocks_.begin()->second.lines) {
    base_.refused += blocks_.begin()->second.settled->refused();
    std::erase_if(base_.blocks, [this](const auto& p) { return p.block == base_.blocks_done; });
    blocks_.erase(blocks_.begin());
    ++base_.blocks_done;
  }
  saving_ = true;
  last_saved_ = run_.clock.steady_now();
  std::string problem;
  try {
    co_await store_->save(archive::write_checkpoint(now()));
  } catch (const error& e) {
    problem = e.what();
  }
  saving_ = false;
  if (problem.empty()) run_.seen.resumable = true;
  if (problem.empty()) co_return;
  run_.seen.notices.push_back("warning: no checkpoint of this restore can be saved (" + problem +
                              "); a restore that is interrupted has to do more again");
  broken_ = true;
}

task<void> restore_progress::remove() {
  if (store_) co_await store_->remove();
}

}  // namespace dynabackup::pipelines
