#include "pipelines/restore_progress.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "fakes/test_run.hpp"

using namespace dynabackup;
using pipelines::restore_progress;

namespace {

/// Keeps what was saved last.
class kept final : public pipelines::checkpoint_store {
 public:
  explicit kept(std::string& body) : body_(body) {}
  [[nodiscard]] std::string name() const override { return "kept"; }
  task<std::optional<pipelines::saved_checkpoint>> load() override { co_return std::nullopt; }
  task<void> save(std::string body) override {
    if (fails) throw error("disk full");
    body_ = std::move(body);
    co_return;
  }
  task<void> remove() override {
    body_.clear();
    co_return;
  }
  bool fails = false;

 private:
  std::string& body_;
};

struct restoring {
  fakes::test_run t;
  std::string body;
  kept* store = nullptr;
  restore_progress progress;

  explicit restoring(archive::restore_checkpoint at = {}) : progress(t.run, std::move(at)) {
    auto to = std::make_unique<kept>(body);
    store = to.get();
    progress.save_to(std::move(to), std::chrono::milliseconds{20});
  }
  archive::restore_checkpoint saved() {
    fakes::run_task(progress.save());
    return archive::read_restore_checkpoint(body);
  }
};

}  // namespace

TEST_CASE("only what is settled without a gap from a block's start is passed") {
  restoring r;
  const auto block = r.progress.begin_block(0, 10);
  const auto first = block->begin(4), second = block->begin(6);
  block->end(second, 0);
  CHECK(r.saved().blocks.empty());
  block->end(first, 1);
  const auto c = r.saved();
  CHECK(c.blocks_done == 1);
  CHECK(c.blocks.empty());
  CHECK(c.refused == 1);
}

TEST_CASE("a block that ends before an earlier one stands beside it") {
  restoring r;
  const auto first = r.progress.begin_block(0, 5), second = r.progress.begin_block(1, 3);
  second->end(second->begin(3), 0);
  first->end(first->begin(2), 0);
  const auto c = r.saved();
  CHECK(c.blocks_done == 0);
  REQUIRE(c.blocks.size() == 2);
  CHECK(c.blocks[0].lines == 2);
  CHECK(c.blocks[1].lines == 3);
  first->end(first->begin(3), 0);
  CHECK(r.saved().blocks_done == 2);
}

TEST_CASE("what was resumed counts from where it was, also for blocks that are not begun again yet") {
  archive::restore_checkpoint at;
  at.blocks_done = 2;
  at.blocks = {{2, 7}, {4, 1}};
  at.refused = 3;
  restoring r(at);
  CHECK(r.progress.settled_before(2) == 7);
  CHECK(r.progress.settled_before(3) == 0);
  const auto block = r.progress.begin_block(2, 10);
  block->end(block->begin(1), 1);
  auto c = r.saved();
  CHECK(c.blocks_done == 2);
  REQUIRE(c.blocks.size() == 2);
  CHECK(c.blocks[0].lines == 8);
  CHECK(c.blocks[1].block == 4);
  CHECK(c.blocks[1].lines == 1);
  CHECK(c.refused == 4);
  block->end(block->begin(2), 0);
  c = r.saved();
  CHECK(c.blocks_done == 3);
  CHECK(c.blocks.size() == 1);
  CHECK(c.refused == 4);
}

TEST_CASE("a file without blocks counts its lines") {
  archive::restore_checkpoint at;
  at.lines = 100;
  restoring r(at);
  const auto lines = r.progress.begin_lines();
  const auto held = lines->begin(0);
  lines->end(lines->begin(25), 0);
  CHECK(r.saved().lines == 100);
  lines->end(held, 0);
  CHECK(r.saved().lines == 125);
}

TEST_CASE("a checkpoint that cannot be saved is told of once and stops nothing") {
  restoring r;
  r.store->fails = true;
  fakes::run_task(r.progress.save());
  fakes::run_task(r.progress.save());
  CHECK(r.t.seen.notices.size() == 1);
  CHECK_FALSE(r.progress.saves());
}

TEST_CASE("what may come late is noted for as long as it may, and that there is something to go on from") {
  restoring r;
  CHECK_FALSE(r.t.seen.resumable);
  CHECK_FALSE(r.saved().late);
  CHECK(r.t.seen.resumable);
  r.progress.note_late(r.t.clock.steady_now() + std::chrono::seconds{1});
  CHECK(r.saved().late);
  r.progress.note_late(r.t.clock.steady_now());
  CHECK_FALSE(r.saved().late);
}
