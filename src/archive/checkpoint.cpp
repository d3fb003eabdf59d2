#include "archive/checkpoint.hpp"

#include <fmt/format.h>

#include "archive/json_record.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

/// 16,384 segments, each with a key of DynamoDB's longest as JSON.
constexpr std::size_t max_checkpoint_bytes = std::size_t{128} << 20;
constexpr std::size_t max_segments = 1'000'000;

void write_table(record_writer& out, const table_identity& t) {
  out.text("table_arn", t.arn).text("table_id", t.id).text("table_created", t.created);
}

table_identity read_table(const record_reader& record) {
  return {record.text("table_arn"), record.text("table_id"), record.text("table_created")};
}

std::string positions_json(const std::vector<scan_position>& positions) {
  std::string out = "[";
  for (const scan_position& p : positions) {
    out += fmt::format(R"({}{{"segment": {}, "done": {}, "next": )", out.size() == 1 ? "" : ", ", p.segment, p.done);
    text::append_json_string(out, p.next);
    out += '}';
  }
  return out + "]";
}

std::string blocks_json(const std::vector<block_position>& blocks) {
  std::string out = "[";
  for (const block_position& b : blocks)
    out += fmt::format("{}[{}, {}]", out.size() == 1 ? "" : ", ", b.block, b.lines);
  return out + "]";
}

record_reader read(std::string_view body, std::string_view kind) {
  record_reader record(body, "checkpoint", max_checkpoint_bytes);
  record.expect_format();
  if (record.text("kind") != kind) record.refuse(fmt::format("it is no checkpoint of a {}", kind));
  return record;
}

}  // namespace

table_identity identify(const dynamodb::table_description& table) { return {table.arn, table.id, table.created}; }

std::string write_checkpoint(const backfill_checkpoint& c) {
  record_writer out;
  out.number("format", 1).text("kind", "backfill").text("run", c.run);
  write_table(out, c.table);
  return out.text("stream_label", c.stream_label)
      .text("started", c.started)
      .number("segments", c.segments)
      .json("positions", positions_json(c.positions))
      .number("items", c.items)
      .number("written", c.written)
      .number("present", c.present)
      .number("differing", c.differing)
      .finish();
}

backfill_checkpoint read_backfill_checkpoint(std::string_view body) {
  const record_reader record = read(body, "backfill");
  backfill_checkpoint c;
  c.run = record.text("run");
  c.table = read_table(record);
  c.stream_label = record.text("stream_label");
  c.started = record.moment("started", false);
  const std::uint64_t segments = record.number("segments");
  if (segments == 0 || segments > max_segments) record.refuse("member segments is out of range");
  c.segments = static_cast<std::uint32_t>(segments);
  const std::vector<record_reader> positions = record.records("positions", max_segments);
  std::uint64_t behind = 0;
  for (const record_reader& p : positions) {
    const std::uint64_t segment = p.number("segment");
    if (segment >= segments || segment < behind) p.refuse("its segment is out of order");
    behind = segment + 1;
    c.positions.push_back({static_cast<std::uint32_t>(segment), p.flag("done"), p.text("next")});
  }
  c.items = record.number("items");
  c.written = record.number("written");
  c.present = record.number("present");
  c.differing = record.number("differing");
  return c;
}

std::string write_checkpoint(const restore_checkpoint& c) {
  record_writer out;
  out.number("format", 1).text("kind", "restore");
  write_table(out, c.table);
  return out.text("snapshot", c.snapshot)
      .text("etag", c.etag)
      .number("size", c.size)
      .flag("by_blocks", c.by_blocks)
      .number("blocks_done", c.blocks_done)
      .json("blocks", blocks_json(c.blocks))
      .number("lines", c.lines)
      .flag("late", c.late)
      .number("refused", c.refused)
      .finish();
}

restore_checkpoint read_restore_checkpoint(std::string_view body) {
  const record_reader record = read(body, "restore");
  restore_checkpoint c;
  c.table = read_table(record);
  c.snapshot = record.text("snapshot");
  c.etag = record.text("etag");
  c.size = record.number("size");
  c.by_blocks = record.flag("by_blocks");
  c.blocks_done = record.number("blocks_done");
  const std::vector<std::uint64_t> blocks = record.rows("blocks", 2);
  for (std::size_t i = 0; i < blocks.size(); i += 2) {
    if (blocks[i] < c.blocks_done) record.refuse("a block of its own is among those that are done");
    c.blocks.push_back({blocks[i], blocks[i + 1]});
  }
  c.lines = record.number("lines");
  c.late = record.flag("late");
  c.refused = record.number("refused");
  return c;
}

}  // namespace dynabackup::archive
