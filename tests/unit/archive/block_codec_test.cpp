#include "archive/block_codec.hpp"

#include <doctest/doctest.h>
#include <stdexcept>
#include <vector>
#include <zlib.h>
#include <zstd.h>

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"
#include "sample_lines.hpp"

using namespace dynabackup;
using archive::block_writer;
using archive::gzip_library;
using testing::noise;
using testing::sample_lines;

namespace {

struct way {
  const char* name;
  compression codec;
  gzip_library library;
};
constexpr way ways[] = {
    {"gzip by the fastest library", compression::gzip, gzip_library::fastest},
    {"gzip by libdeflate", compression::gzip, gzip_library::libdeflate},
    {"zstd", compression::zstd, gzip_library::fastest},
    {"none", compression::none, gzip_library::fastest},
};

std::string packed(const way& w, std::string_view raw) {
  block_writer writer(w.codec, w.library);
  std::string out;
  writer.append(raw, out);
  return out;
}

std::string zlib_gunzip(std::string_view member) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, MAX_WBITS + 16) == Z_OK);
  std::string out(std::size_t{8} << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(member.data()));
  stream.avail_in = static_cast<uInt>(member.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const auto result = inflate(&stream, Z_FINISH);
  out.resize(out.size() - stream.avail_out);
  const auto left = stream.avail_in;
  inflateEnd(&stream);
  CHECK(result == Z_STREAM_END);
  CHECK(left == 0);
  return out;
}

}  // namespace

TEST_CASE("what a block_writer wrote read_block reads, whatever the bytes") {
  const std::string inputs[] = {
      "",           "x",           "\n",          std::string(100'000, 'a'), sample_lines(3'000'000), noise(1),
      noise(9'999), noise(65'535), noise(65'536), noise(1'000'000)};
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    block_writer writer(w.codec, w.library);
    for (const auto& raw : inputs) {
      CAPTURE(raw.size());
      std::string out = "before";
      writer.append(raw, out);
      CHECK(out.size() - 6 <= writer.bound(raw.size()));
      REQUIRE(out.starts_with("before"));
      const auto back = archive::read_block(w.codec, std::string_view(out).substr(6), raw.size());
      CHECK(back == raw);
      CHECK(back.capacity() >= back.size() + response::body_padding);
    }
  }
}

TEST_CASE("blocks are smaller than their lines, and a writer writes the same bytes every time") {
  const auto raw = sample_lines(1'000'000);
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    const auto once = packed(w, raw);
    CHECK(packed(w, raw) == once);
    block_writer writer(w.codec, w.library);
    std::string warmed_up, again;
    writer.append(noise(100'000), warmed_up);
    writer.append(raw, again);
    CHECK(again == once);
    if (w.codec != compression::none) CHECK(once.size() < raw.size() / 2);
  }
}

TEST_CASE("gzip blocks are members any gzip reader reads") {
  for (const auto& w : {ways[0], ways[1]}) {
    CAPTURE(std::string(w.name));
    for (const auto& raw : {std::string(), sample_lines(500'000), noise(100'000)}) {
      const auto member = packed(w, raw);
      CHECK(archive::sniff(member) == compression::gzip);
      CHECK(member.substr(2, 6) == std::string("\x08\0\0\0\0\0", 6));  // deflate, no name, no time
      CHECK(zlib_gunzip(member) == raw);
    }
  }
}

TEST_CASE("zstd blocks are frames that state their size and carry a checksum") {
  for (const auto& raw : {std::string(), sample_lines(500'000)}) {
    const auto frame = packed(ways[2], raw);
    CHECK(archive::sniff(frame) == compression::zstd);
    CHECK(ZSTD_getFrameContentSize(frame.data(), frame.size()) == raw.size());
    CHECK((frame[4] & 4) != 0);  // Content_Checksum_flag, RFC 8878 3.1.1.1.1
    std::string out(raw.size() + 1, '\0');
    CHECK(ZSTD_decompress(out.data(), out.size(), frame.data(), frame.size()) == raw.size());
    CHECK(out.substr(0, raw.size()) == raw);
  }
}

TEST_CASE("a block of another size than stated is refused") {
  const auto raw = sample_lines(10'000);
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    const auto block = packed(w, raw);
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{9'999}, std::uint64_t{10'001},
                                     std::uint64_t{archive::max_block_bytes}, std::uint64_t{UINT64_MAX}}) {
      CAPTURE(size);
      CHECK_THROWS_AS(archive::read_block(w.codec, block, size), format_error);
    }
  }
}

TEST_CASE("a block cut short, followed by something or doubled is refused") {
  const auto raw = sample_lines(2'000);
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    const auto block = packed(w, raw);
    for (std::size_t n = 0; n < block.size(); ++n) {
      CAPTURE(n);
      CHECK_THROWS_AS(archive::read_block(w.codec, block.substr(0, n), raw.size()), format_error);
    }
    CHECK_THROWS_AS(archive::read_block(w.codec, block + '\0', raw.size()), format_error);
    CHECK_THROWS_AS(archive::read_block(w.codec, block + block, raw.size()), format_error);
    CHECK_THROWS_AS(archive::read_block(w.codec, block + block, 2 * raw.size() + 1), format_error);
  }
}

TEST_CASE("two members or frames are not one block, even when the sizes add up") {
  for (const auto& w : {ways[0], ways[1], ways[2]}) {
    CAPTURE(std::string(w.name));
    CHECK_THROWS_AS(archive::read_block(w.codec, packed(w, "one\n") + packed(w, "two\n"), 8), format_error);
    CHECK_THROWS_AS(archive::read_block(w.codec, packed(w, "one\n") + packed(w, ""), 4), format_error);
  }
}

TEST_CASE("a changed byte is refused, or changes nothing") {
  const auto raw = sample_lines(2'000);
  for (const auto& w : {ways[0], ways[1], ways[2]}) {
    CAPTURE(std::string(w.name));
    const auto block = packed(w, raw);
    std::size_t harmless = 0;  // a header's time or system, padding bits, the code of a symbol never used
    for (std::size_t i = 0; i < block.size(); ++i) {
      CAPTURE(i);
      auto changed = block;
      changed[i] = static_cast<char>(changed[i] ^ 0x10);
      try {
        const auto back = archive::read_block(w.codec, changed, raw.size());
        CHECK(back == raw);
        ++harmless;
      } catch (const format_error&) {
      }
    }
    CHECK(harmless < 20);
  }
}

TEST_CASE("a bomb is refused at the stated size") {
  const std::string zeros(std::size_t{32} << 20, '\0');
  for (const auto& w : {ways[0], ways[1], ways[2]}) {
    CAPTURE(std::string(w.name));
    const auto bomb = packed(w, zeros);
    CHECK(bomb.size() < zeros.size() / 100);
    CHECK_THROWS_AS(archive::read_block(w.codec, bomb, 1000), format_error);
  }
}

TEST_CASE("a zstd skippable frame is no block") {
  const std::string skippable("\x50\x2a\x4d\x18\x00\x00\x00\x00", 8);
  CHECK_THROWS_AS(archive::read_block(compression::zstd, skippable, 0), format_error);
}

TEST_CASE("a block beyond the ceiling is neither written nor read") {
  const std::string too_large(archive::max_block_bytes + 1, 'x');
  for (const auto& w : ways) {
    CAPTURE(std::string(w.name));
    std::string out = "kept";
    CHECK_THROWS_AS(block_writer(w.codec, w.library).append(too_large, out), std::length_error);
    CHECK(out == "kept");
  }
  CHECK_THROWS_AS(archive::read_block(compression::none, too_large, too_large.size()), format_error);
}

TEST_CASE("a file's codec is told by its magic") {
  const std::pair<std::string_view, compression> rows[] = {
      {"\x1f\x8b", compression::gzip},
      {"\x1f\x8b\x08\x00", compression::gzip},
      {"\x1f", compression::none},
      {"\x1f\x8c", compression::none},
      {"\x28\xb5\x2f\xfd", compression::zstd},
      {"\x28\xb5\x2f\xfd$", compression::zstd},
      {"\x28\xb5\x2f", compression::none},
      {"", compression::none},
      {"{\"Item\":", compression::none},
  };
  for (const auto& [bytes, codec] : rows) {
    CAPTURE(bytes);
    CHECK(archive::sniff(bytes) == codec);
  }
}
