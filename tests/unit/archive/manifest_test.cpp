#include "archive/manifest.hpp"

#include <doctest/doctest.h>

#include "archive/block_codec.hpp"
#include "dynabackup/error.hpp"

using namespace dynabackup;
using archive::manifest;

namespace {

manifest two_blocks() {
  manifest m;
  m.etag = "\"9b2cf535f27731c974343645a3985328-2\"";
  m.size = 300;
  m.sha256 = std::string(60, '0') + "abcd";
  m.codec = compression::gzip;
  m.items = 12;
  m.raw_size = 1000;
  m.source = "s3://bucket/orders/";
  m.from = "2026-11-22T11:45:03Z";
  m.to = "2026-11-22T11:46:10.500Z";
  m.covered = true;
  m.table = archive::descriptor{1, "Orders", "arn:x", "", "1700000000", {{"id", 'S'}}};
  m.blocks = {{0, 100, 400, 5, 0}, {100, 200, 600, 7, UINT32_MAX}};
  return m;
}

constexpr std::string_view two_blocks_text = R"({
  "format": 1,
  "etag": "\"9b2cf535f27731c974343645a3985328-2\"",
  "size": 300,
  "sha256": "000000000000000000000000000000000000000000000000000000000000abcd",
  "codec": "gzip",
  "items": 12,
  "raw_size": 1000,
  "source": "s3://bucket/orders/",
  "from": "2026-11-22T11:45:03Z",
  "to": "2026-11-22T11:46:10.500Z",
  "at": "",
  "covered": true,
  "not_covered": "",
  "table": {
    "format": 1,
    "table": "Orders",
    "arn": "arn:x",
    "id": "",
    "created": "1700000000",
    "key": [{"name": "id", "type": "S"}]
  },
  "blocks": [
  [0,100,400,5,0],
  [100,200,600,7,4294967295]]
}
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string refusal(std::string_view body) {
  try {
    archive::read_manifest(body);
  } catch (const format_error& e) {
    return e.what();
  }
  return "(nothing was refused)";
}

}  // namespace

TEST_CASE("a manifest is written in one stable form and read back") {
  CHECK(archive::write_manifest(two_blocks()) == two_blocks_text);
  const auto m = archive::read_manifest(two_blocks_text);
  CHECK(m.etag == two_blocks().etag);
  CHECK(m.size == 300);
  CHECK(m.sha256 == two_blocks().sha256);
  CHECK(m.codec == compression::gzip);
  CHECK(m.items == 12);
  CHECK(m.raw_size == 1000);
  CHECK(m.source == "s3://bucket/orders/");
  CHECK(m.from == "2026-11-22T11:45:03Z");
  CHECK(m.to == "2026-11-22T11:46:10.500Z");
  CHECK(m.at.empty());
  CHECK(m.covered);
  CHECK(m.not_covered.empty());
  REQUIRE(m.table.has_value());
  CHECK(m.table->table == "Orders");
  CHECK(m.table->key == two_blocks().table->key);
  REQUIRE(m.blocks.size() == 2);
  CHECK(m.blocks[1].offset == 100);
  CHECK(m.blocks[1].size == 200);
  CHECK(m.blocks[1].raw_size == 600);
  CHECK(m.blocks[1].items == 7);
  CHECK(m.blocks[1].crc32 == UINT32_MAX);
}

TEST_CASE("an empty snapshot of an unknown table has a manifest too") {
  auto m = two_blocks();
  m.table.reset();
  m.codec = compression::none;
  m.size = m.raw_size = m.items = 0;
  m.covered = false;
  m.not_covered = "no finished backfill";
  m.at = "2026-11-01T00:00:00Z";
  m.blocks.clear();
  const auto read = archive::read_manifest(archive::write_manifest(m));
  CHECK_FALSE(read.table.has_value());
  CHECK(read.codec == compression::none);
  CHECK(read.blocks.empty());
  CHECK_FALSE(read.covered);
  CHECK(read.not_covered == "no finished backfill");
  CHECK(read.at == "2026-11-01T00:00:00Z");
}

TEST_CASE("an empty gzip member is a block") {
  auto m = two_blocks();
  m.blocks = {{0, 20, 0, 0, 1}};
  m.size = 20;
  m.raw_size = m.items = 0;
  CHECK(archive::read_manifest(archive::write_manifest(m)).blocks.size() == 1);
}

TEST_CASE("a manifest that is not whole is refused") {
  const std::string text(two_blocks_text);
  const std::pair<std::string, std::string_view> rows[] = {
      {replaced(text, "\"format\": 1", "\"format\": 2"), "newer version"},
      {replaced(text, "\"etag\"", "\"e\""), "manifest: member etag is missing"},
      {replaced(text, "abcd", "ABCD"), "manifest: member sha256 is not 64 hex digits"},
      {replaced(text, "0abcd", "abcd"), "manifest: member sha256 is not 64 hex digits"},
      {replaced(text, "\"gzip\"", "\"lzma\""), "manifest: member codec is not gzip, zstd or none"},
      {replaced(text, "11:45:03Z", "11:45"), "manifest: member from is not an RFC 3339 time"},
      {replaced(text, "\"covered\": true", "\"covered\": 1"), "manifest: member covered is not true or false"},
      {replaced(text, "\"table\": {\n    \"format\": 1", "\"table\": {\n    \"format\": 2"),
       "manifest, table: format 2"},
      {replaced(text, "\"blocks\"", "\"b\""), "manifest: member blocks is missing"},
      {text + "[]", "manifest: not a JSON document"},
      {text.substr(0, 300), "manifest: not a JSON document"},
  };
  for (const auto& [body, part] : rows) {
    CAPTURE(body);
    const auto message = refusal(body);
    CAPTURE(message);
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("blocks must lie one behind the other and add up") {
  using archive::block;
  constexpr std::uint64_t big = archive::max_block_bytes;
  constexpr std::uint64_t edge = UINT64_MAX;
  struct row {
    std::vector<block> blocks;
    std::string_view message;
  };
  const row rows[] = {
      {{}, "manifest: the blocks do not add up to size, raw_size and items"},
      {{{0, 300, 1000, 11, 0}}, "manifest: the blocks do not add up to size, raw_size and items"},
      {{{0, 300, 999, 12, 0}}, "manifest: the blocks do not add up to size, raw_size and items"},
      {{{0, 299, 1000, 12, 0}}, "manifest: the blocks do not add up to size, raw_size and items"},
      {{{0, 301, 1000, 12, 0}}, "manifest: block 0 goes beyond the size, raw_size or items of the whole"},
      {{{0, 300, 1001, 12, 0}}, "manifest: block 0 goes beyond the size, raw_size or items of the whole"},
      {{{0, 300, 1000, 13, 0}}, "manifest: block 0 goes beyond the size, raw_size or items of the whole"},
      {{{1, 300, 1000, 12, 0}}, "manifest: block 0 does not begin where the one before ends"},
      {{{0, 100, 400, 5, 0}, {99, 200, 600, 7, 0}}, "manifest: block 1 does not begin where the one before ends"},
      {{{0, 100, 400, 5, 0}, {101, 200, 600, 7, 0}}, "manifest: block 1 does not begin where the one before ends"},
      {{{0, 100, 400, 5, 0}, {100, 0, 600, 7, 0}}, "manifest: block 1 is empty"},
      {{{0, 100, big + 1, 5, 0}}, "manifest: block 0 is larger than a block may be"},
      {{{0, 100, edge, 5, 0}}, "manifest: block 0 is larger than a block may be"},
      {{{0, edge, 1000, 5, 0}}, "manifest: block 0 is larger than its lines"},
      {{{0, 100, 4, 5, 0}}, "manifest: block 0 has more items than bytes"},
  };
  for (const auto& r : rows) {
    auto m = two_blocks();
    m.blocks = r.blocks;
    const auto text = archive::write_manifest(m);
    CAPTURE(text);
    CHECK(refusal(text) == r.message);
  }
  CHECK(refusal(replaced(std::string(two_blocks_text), "4294967295", "4294967296")) ==
        "manifest: block 1 has a CRC-32 of more than 32 bits");
  CHECK(refusal(replaced(std::string(two_blocks_text), ",7,4294967295", ",7")) ==
        "manifest: member blocks, row 1: not 5 whole numbers");
}

TEST_CASE("sums that would overflow are refused") {
  auto m = two_blocks();
  m.items = 4;
  m.raw_size = 1000;
  m.blocks = {{0, 100, 400, 300, 0}, {100, 200, 600, 8, 0}};
  CHECK_THROWS_AS(archive::read_manifest(archive::write_manifest(m)), format_error);
  m.size = UINT64_MAX;
  m.raw_size = UINT64_MAX;
  CHECK_THROWS_AS(archive::read_manifest(archive::write_manifest(m)), format_error);
}

TEST_CASE("plain blocks have one size") {
  auto m = two_blocks();
  m.codec = compression::none;
  CHECK(refusal(archive::write_manifest(m)) == "manifest: block 0 is not compressed and yet has two sizes");
  m.size = 1000;
  m.blocks = {{0, 400, 400, 5, 0}, {400, 600, 600, 7, 0}};
  CHECK(archive::read_manifest(archive::write_manifest(m)).blocks.size() == 2);
}

TEST_CASE("a manifest of 100,000 blocks is read whole") {
  auto m = two_blocks();
  m.blocks.clear();
  m.size = m.raw_size = m.items = 0;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    m.blocks.push_back({m.size, 4'000'000, 16'000'000, 30'000, i});
    m.size += 4'000'000;
    m.raw_size += 16'000'000;
    m.items += 30'000;
  }
  const auto read = archive::read_manifest(archive::write_manifest(m));
  REQUIRE(read.blocks.size() == m.blocks.size());
  CHECK(read.blocks.back().offset == m.blocks.back().offset);
  CHECK(read.blocks.back().crc32 == 99'999);
}

TEST_CASE("codecs are named as on the command line") {
  CHECK(archive::codec_name(compression::gzip) == "gzip");
  CHECK(archive::codec_name(compression::zstd) == "zstd");
  CHECK(archive::codec_name(compression::none) == "none");
}
