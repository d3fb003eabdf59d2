#include "pipelines/scan_progress.hpp"

#include <doctest/doctest.h>

using namespace dynabackup;
using pipelines::scan_progress;

namespace {

archive::backfill_checkpoint taken(const scan_progress& p) {
  archive::backfill_checkpoint c;
  p.write(c);
  return c;
}

}  // namespace

TEST_CASE("a position moves over a page when its last item is settled, and over pages in order only") {
  scan_progress p(2);
  const auto first = p.begin(0, 2, "k1");
  const auto second = p.begin(0, 1, "k2");
  second->counts.written = 1;
  p.settled(*second);
  CHECK(taken(p).positions.empty());
  p.settled(*first);
  CHECK(taken(p).positions.empty());
  first->counts.present = 2;
  p.settled(*first);
  const auto c = taken(p);
  REQUIRE(c.positions.size() == 1);
  CHECK(c.positions[0].segment == 0);
  CHECK(c.positions[0].next == "k2");
  CHECK_FALSE(c.positions[0].done);
  CHECK(c.items == 3);
  CHECK(c.written == 1);
  CHECK(c.present == 2);
}

TEST_CASE("a segment is done with its last page, an empty one too") {
  scan_progress p(3);
  p.begin(1, 0, std::nullopt);
  const auto last = p.begin(2, 1, std::nullopt);
  CHECK(p.done(1));
  CHECK_FALSE(p.done(2));
  p.settled(*last);
  CHECK(p.done(2));
  CHECK_FALSE(p.done(0));
}

TEST_CASE("what is resumed goes on where the checkpoint stopped, with its counts") {
  archive::backfill_checkpoint c;
  c.segments = 3;
  c.positions = {{0, true, ""}, {2, false, "k"}};
  c.items = 10, c.written = 8, c.present = 1, c.differing = 1;
  scan_progress p(3);
  p.resume(c);
  CHECK(p.done(0));
  CHECK(p.start(1) == std::nullopt);
  CHECK(p.start(2) == "k");
  p.settled(*p.begin(1, 1, std::nullopt));
  const auto now = taken(p);
  CHECK(now.positions.size() == 3);
  CHECK(now.items == 11);
  CHECK(now.written == 8);
  CHECK(now.differing == 1);
}
