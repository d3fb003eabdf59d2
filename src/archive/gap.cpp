#include "archive/gap.hpp"

#include <algorithm>
#include <simdjson.h>

#include "archive/json_record.hpp"
#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

constexpr std::size_t max_gap_bytes = std::size_t{64} << 10;

bool is_json(std::string_view text) {
  simdjson::dom::parser parser;
  return parser.parse(text.data(), text.size()).error() == simdjson::SUCCESS;
}

std::string kept(const s3_location& home, std::string_view folder, std::string_view name) {
  return home.prefix + std::string(bookkeeping) + std::string(folder) + std::string(name) + ".json";
}

}  // namespace

std::string write_gap(const gap& g) {
  return record_writer()
      .number("format", static_cast<std::uint64_t>(g.format))
      .text("stream", g.stream)
      .text("shard", g.shard)
      .text("from_sequence", g.from_sequence)
      .text("to_sequence", g.to_sequence)
      .text("from", g.from)
      .text("to", g.to)
      .text("reason", g.reason)
      .finish();
}

gap read_gap(std::string_view body) {
  const record_reader record(body, "gap", max_gap_bytes);
  record.expect_format();
  gap g;
  g.stream = record.text("stream");
  g.shard = record.text("shard");
  g.from_sequence = record.text("from_sequence");
  g.to_sequence = record.text("to_sequence");
  g.from = record.moment("from", true);
  g.to = record.moment("to", true);
  g.reason = record.text("reason");
  return g;
}

std::string write_dead_letter(const dead_letter& d) {
  record_writer out;
  out.number("format", 1)
      .text("stream", d.stream)
      .text("sequence_number", d.sequence_number)
      .text("changed_at", d.changed_at)
      .text("reason", d.reason);
  if (is_json(d.record)) {
    out.json("record", d.record);
  } else {
    out.text("record_base64", text::base64(d.record));
  }
  return out.finish();
}

std::string gap_key(const s3_location& home, std::string_view name) { return kept(home, "gaps/", name); }

std::string dead_letter_key(const s3_location& home, std::string_view name) { return kept(home, "dead-letter/", name); }

std::string name_of_change(std::string_view label, std::string_view sequence_number, std::string_view record) {
  std::string name(label);
  std::replace(name.begin(), name.end(), ':', '-');
  name += '-';
  return name + (sequence_number.empty() ? crypto::sha256_hex(record).substr(0, 32) : std::string(sequence_number));
}

}  // namespace dynabackup::archive
