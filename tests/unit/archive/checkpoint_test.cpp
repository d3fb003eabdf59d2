#include "archive/checkpoint.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

using namespace dynabackup;

namespace {

archive::backfill_checkpoint backfill() {
  archive::backfill_checkpoint c;
  c.run = "20261122T114503Z-1f3a9c2e";
  c.table = {"arn:aws:dynamodb:eu-central-1:1:table/users", "id-1", "1700000000.123"};
  c.stream_label = "2026-11-01T00:00:00.000";
  c.started = "2026-11-22T11:40:03Z";
  c.segments = 8;
  c.positions = {{1, false, R"({"id":{"S":"a\"b"}})"}, {2, true, ""}, {7, false, R"({"id":{"B":"AA=="}})"}};
  c.items = 70, c.written = 50, c.present = 19, c.differing = 1;
  return c;
}

archive::restore_checkpoint restore() {
  archive::restore_checkpoint c;
  c.table = {"arn", "", "1700000000"};
  c.snapshot = "s3://b/p/x.json.gz";
  c.etag = "abc-2";
  c.size = 1234;
  c.by_blocks = true;
  c.blocks_done = 3;
  c.blocks = {{4, 100}, {6, 1}};
  c.late = true;
  c.refused = 2;
  return c;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a backfill's checkpoint is read as it was written") {
  const archive::backfill_checkpoint c = backfill();
  const archive::backfill_checkpoint r = archive::read_backfill_checkpoint(archive::write_checkpoint(c));
  CHECK(r.run == c.run);
  CHECK(r.table == c.table);
  CHECK(r.stream_label == c.stream_label);
  CHECK(r.started == c.started);
  CHECK(r.segments == 8);
  REQUIRE(r.positions.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(r.positions[i].segment == c.positions[i].segment);
    CHECK(r.positions[i].done == c.positions[i].done);
    CHECK(r.positions[i].next == c.positions[i].next);
  }
  CHECK(r.items == 70);
  CHECK(r.written == 50);
  CHECK(r.present == 19);
  CHECK(r.differing == 1);
}

TEST_CASE("a restore's checkpoint is read as it was written") {
  const archive::restore_checkpoint c = restore();
  const archive::restore_checkpoint r = archive::read_restore_checkpoint(archive::write_checkpoint(c));
  CHECK(r.table == c.table);
  CHECK(r.snapshot == c.snapshot);
  CHECK(r.etag == c.etag);
  CHECK(r.size == c.size);
  CHECK(r.by_blocks);
  CHECK(r.blocks_done == 3);
  REQUIRE(r.blocks.size() == 2);
  CHECK(r.blocks[1].block == 6);
  CHECK(r.blocks[1].lines == 1);
  CHECK(r.lines == 0);
  CHECK(r.late);
  CHECK(r.refused == 2);
}

TEST_CASE("what is no checkpoint of that kind is refused") {
  const std::string b = archive::write_checkpoint(backfill()), r = archive::write_checkpoint(restore());
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(r), format_error);
  CHECK_THROWS_AS(archive::read_restore_checkpoint(b), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(""), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(b.substr(0, b.size() / 2)), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(replaced(b, "\"format\": 1", "\"format\": 2")), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(replaced(b, "\"segments\": 8", "\"segments\": 0")), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(replaced(b, "\"segments\": 8", "\"segments\": 7")), format_error);
  CHECK_THROWS_AS(archive::read_backfill_checkpoint(replaced(b, "\"segment\": 2", "\"segment\": 1")), format_error);
  CHECK_THROWS_AS(archive::read_restore_checkpoint(replaced(r, "[4, 100]", "[2, 100]")), format_error);
  CHECK_THROWS_AS(archive::read_restore_checkpoint(replaced(r, "[4, 100]", "[4]")), format_error);
}
