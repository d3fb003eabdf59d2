#include "archive/recorder_state.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "archive/json_record.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

/// A table of a thousand partitions has some ten thousand shards a day.
constexpr std::size_t max_state_bytes = std::size_t{32} << 20;
constexpr std::size_t max_shards = 100'000;
constexpr std::size_t longest_sequence = 40;

std::string shards_json(const std::vector<shard_position>& shards) {
  std::string out = "[";
  for (const shard_position& s : shards) {
    out += out.size() == 1 ? "\n" : ",\n";
    out += R"(  {"shard": )";
    text::append_json_string(out, s.shard);
    out += R"(, "parent": )";
    text::append_json_string(out, s.parent);
    out += fmt::format(R"(, "done": {}, "sequence": "{}"}})", s.done, s.sequence);
  }
  return out + (shards.empty() ? "]" : "\n]");
}

shard_position read_shard(const record_reader& record) {
  shard_position s{record.text("shard"), record.text("parent"), record.flag("done"), record.text("sequence")};
  const bool digits = std::all_of(s.sequence.begin(), s.sequence.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || s.sequence.size() > longest_sequence) record.refuse("its sequence is no sequence number");
  if (s.shard.empty()) record.refuse("its shard is empty");
  return s;
}

}  // namespace

std::string recorder_key(const s3_location& home) { return home.prefix + std::string(bookkeeping) + "recorder.json"; }

std::string write_recorder_state(const recorder_state& s) {
  if (s.shards.size() > max_shards)
    throw error(fmt::format("stream {} has {} shards that are not recorded to their end, and recorder.json holds {}",
                            s.stream_arn, s.shards.size(), max_shards));
  record_writer out;
  return out.number("format", 1)
      .text("owner", s.owner)
      .text("writer", s.writer)
      .number("serial", s.serial)
      .text("table_arn", s.table.arn)
      .text("table_id", s.table.id)
      .text("table_created", s.table.created)
      .text("stream_arn", s.stream_arn)
      .flag("ended", s.ended)
      .text("read_at", s.read_at)
      .json("shards", shards_json(s.shards))
      .finish();
}

recorder_state read_recorder_state(std::string_view body) {
  const record_reader record(body, "recorder.json", max_state_bytes);
  record.expect_format();
  recorder_state s;
  s.owner = record.text("owner");
  s.writer = record.text_if_any("writer").value_or(s.owner);
  s.serial = record.number("serial");
  s.table = {record.text("table_arn"), record.text("table_id"), record.text("table_created")};
  s.stream_arn = record.text("stream_arn");
  s.ended = record.flag("ended");
  s.read_at = record.moment("read_at", true);
  const std::vector<record_reader> shards = record.records("shards", max_shards);
  for (const record_reader& each : shards) s.shards.push_back(read_shard(each));
  return s;
}

}  // namespace dynabackup::archive
