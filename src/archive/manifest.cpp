#include "archive/manifest.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "archive/block_codec.hpp"
#include "archive/json_record.hpp"

namespace dynabackup::archive {

namespace {

constexpr std::size_t columns = 5;  // offset, size, raw_size, items, crc32
// What compression may add to a block that does not compress: far more than gzip's or zstd's framing.
constexpr std::uint64_t max_block_growth = std::uint64_t{1} << 20;

std::string write_blocks(const std::vector<block>& blocks) {
  std::string out = "[";
  auto end = std::back_inserter(out);
  for (const auto& b : blocks) {
    fmt::format_to(end, "{}[{},{},{},{},{}]", out.size() == 1 ? "\n" : ",\n", b.offset, b.size, b.raw_size, b.items,
                   b.crc32);
  }
  return out + "]";
}

compression read_codec(const record_reader& record) {
  const auto name = record.text("codec");
  for (const auto codec : {compression::gzip, compression::zstd, compression::none}) {
    if (name == codec_name(codec)) return codec;
  }
  record.refuse("member codec is not gzip, zstd or none");
}

std::string read_sha256(const record_reader& record) {
  auto sha256 = record.text("sha256");
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (sha256.size() != 64 || !std::ranges::all_of(sha256, is_hex)) record.refuse("member sha256 is not 64 hex digits");
  return sha256;
}

std::string_view fault_of(const block& b, compression codec) {
  if (b.size == 0) return "is empty";
  if (b.raw_size > max_block_bytes) return "is larger than a block may be";
  if (b.size > b.raw_size + max_block_growth) return "is larger than its lines";
  if (codec == compression::none && b.size != b.raw_size) return "is not compressed and yet has two sizes";
  if ((b.items == 0) != (b.raw_size == 0)) return "has items without bytes or bytes without items";
  if (b.items > b.raw_size) return "has more items than bytes";
  return {};
}

/// What is left of the manifest's totals while its blocks are taken off; so nothing can overflow.
struct remainder {
  std::uint64_t size, raw_size, items;

  bool take(const block& b) {
    if (b.size > size || b.raw_size > raw_size || b.items > items) return false;
    size -= b.size;
    raw_size -= b.raw_size;
    items -= b.items;
    return true;
  }
};

std::vector<block> read_blocks(const record_reader& record, const manifest& m) {
  const auto cells = record.rows("blocks", columns);
  remainder left{m.size, m.raw_size, m.items};
  std::vector<block> blocks;
  blocks.reserve(cells.size() / columns);
  for (std::size_t i = 0; i < cells.size(); i += columns) {
    const auto refuse = [&](std::string_view why) { record.refuse(fmt::format("block {} {}", blocks.size(), why)); };
    if (cells[i + 4] > UINT32_MAX) refuse("has a CRC-32 of more than 32 bits");
    const block b{cells[i], cells[i + 1], cells[i + 2], cells[i + 3], static_cast<std::uint32_t>(cells[i + 4])};
    if (const auto fault = fault_of(b, m.codec); !fault.empty()) refuse(fault);
    if (b.offset != m.size - left.size) refuse("does not begin where the one before ends");
    if (!left.take(b)) refuse("goes beyond the size, raw_size or items of the whole");
    blocks.push_back(b);
  }
  if (left.size != 0 || left.raw_size != 0 || left.items != 0) {
    record.refuse("the blocks do not add up to size, raw_size and items");
  }
  return blocks;
}

}  // namespace

std::string_view codec_name(compression c) {
  switch (c) {
    case compression::gzip:
      return "gzip";
    case compression::zstd:
      return "zstd";
    case compression::none:
      break;
  }
  return "none";
}

std::string write_manifest(const manifest& m) {
  return record_writer()
      .number("format", static_cast<std::uint64_t>(m.format))
      .text("etag", m.etag)
      .number("size", m.size)
      .text("sha256", m.sha256)
      .text("codec", codec_name(m.codec))
      .number("items", m.items)
      .number("raw_size", m.raw_size)
      .text("source", m.source)
      .text("from", m.from)
      .text("to", m.to)
      .text("at", m.at)
      .flag("covered", m.covered)
      .text("not_covered", m.not_covered)
      .json("table", m.table ? write_descriptor(*m.table) : "null")
      .json("blocks", write_blocks(m.blocks))
      .finish();
}

manifest read_manifest(std::string_view body) {
  const record_reader record(body, "manifest", max_manifest_bytes);
  record.expect_format();
  manifest m;
  m.etag = record.text("etag");
  m.size = record.number("size");
  m.sha256 = read_sha256(record);
  m.codec = read_codec(record);
  m.items = record.number("items");
  m.raw_size = record.number("raw_size");
  m.source = record.text("source");
  m.from = record.moment("from", true);
  m.to = record.moment("to", true);
  m.at = record.moment("at", true);
  m.covered = record.flag("covered");
  m.not_covered = record.text("not_covered");
  if (const auto table = record.record("table")) m.table = read_descriptor(*table);
  m.blocks = read_blocks(record, m);
  return m;
}

}  // namespace dynabackup::archive
