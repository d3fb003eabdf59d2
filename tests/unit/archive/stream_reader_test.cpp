#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <simdjson.h>
#include <zlib.h>
#include <zstd.h>

#include "archive/block_codec.hpp"
#include "dynabackup/error.hpp"
#include "sample_lines.hpp"
#include "text/codecs.hpp"

using namespace dynabackup;
using archive::stream_reader;
using testing::noise;
using testing::sample_lines;

namespace {

std::string packed(compression codec, std::string_view raw) {
  std::string out;
  archive::block_writer(codec).append(raw, out);
  return out;
}

/// As a download hands them out: chunks of `chunk` bytes, at most `max_out` decoded bytes a call.
std::string unpacked(compression codec, std::string_view data, std::size_t chunk, std::size_t max_out) {
  stream_reader reader(codec);
  std::string out;
  for (; !data.empty(); data.remove_prefix(std::min(chunk, data.size()))) {
    auto rest = data.substr(0, chunk);
    while (!rest.empty()) {
      const auto before = out.size();
      const auto used = reader.read(rest, out, max_out);
      const bool bounded = used <= rest.size() && out.size() - before <= max_out;
      const bool moved = used > 0 || out.size() > before;
      if (!bounded || !moved) FAIL("a read of " << rest.size() << " bytes used " << used);
      rest.remove_prefix(used);
    }
  }
  reader.finish();
  return out;
}

std::string refusal(compression codec, std::string_view data, std::size_t chunk = 1000) {
  try {
    unpacked(codec, data, chunk, 1000);
  } catch (const format_error& e) {
    return e.what();
  }
  return "(nothing was refused)";
}

constexpr compression codecs[] = {compression::gzip, compression::zstd, compression::none};

}  // namespace

TEST_CASE("members and frames are joined, whatever the size of the chunks and of the room") {
  const auto lines = sample_lines(5'000);
  for (const auto codec : codecs) {
    const auto data = packed(codec, lines) + packed(codec, "") + packed(codec, "x") + packed(codec, lines);
    const auto expected = lines + "x" + lines;
    for (std::size_t chunk = 1; chunk <= data.size() + 1; chunk += chunk < 100 ? 1 : 97) {
      for (const std::size_t room : {1, 7, 1000, 1'000'000}) {
        CAPTURE(chunk);
        CAPTURE(room);
        REQUIRE(unpacked(codec, data, chunk, room) == expected);
      }
    }
  }
}

TEST_CASE("a snapshot of many blocks is one stream to any reader") {
  const auto lines = sample_lines(3'000'000);
  for (const auto codec : codecs) {
    std::string data;
    for (std::size_t at = 0; at < lines.size(); at += 400'000) {
      data += packed(codec, std::string_view(lines).substr(at, 400'000));
    }
    CHECK(unpacked(codec, data, 70'000, 50'000) == lines);
    CHECK(unpacked(codec, data, data.size(), lines.size()) == lines);
  }
}

TEST_CASE("when all input is used all output is there") {
  // One byte of input can stand for thousands of bytes of output.
  const std::string zeros(1'000'000, '\0');
  for (const auto codec : {compression::gzip, compression::zstd}) {
    CHECK(unpacked(codec, packed(codec, zeros), 1, 10) == zeros);
    CHECK(unpacked(codec, packed(codec, zeros), 1'000'000, zeros.size()) == zeros);
    stream_reader reader(codec);
    const auto data = packed(codec, zeros);
    std::string out;
    CHECK(reader.read(data, out, 1000) < data.size());
    CHECK(out.size() == 1000);
    CHECK(reader.read(data, out, 0) == 0);
    CHECK(reader.read("", out, 1000) == 0);
    CHECK(out.size() == 1000);
    CHECK_THROWS_WITH_AS(reader.finish(), "truncated", format_error);
  }
}

TEST_CASE("the gzip answer of the checksum vectors is read") {
  std::ifstream file(DYNABACKUP_TEST_DATA "/checksums.json", std::ios::binary);
  const std::string json((std::istreambuf_iterator<char>(file)), {});
  simdjson::dom::parser parser;
  simdjson::dom::element vectors;
  REQUIRE(parser.parse(json).get(vectors) == simdjson::SUCCESS);
  const auto plain = std::string(vectors["gzip"]["plain"].get_string().value());
  const auto data = text::unbase64(vectors["gzip"]["compressed_base64"].get_string().value());
  REQUIRE(data.has_value());
  CHECK(archive::sniff(*data) == compression::gzip);
  CHECK(unpacked(compression::gzip, *data, 1, 1) == plain);
  CHECK(archive::read_block(compression::gzip, *data, plain.size()) == plain);
}

TEST_CASE("data that ends too early is truncated, at every length") {
  const auto lines = sample_lines(3'000);
  for (const auto codec : {compression::gzip, compression::zstd}) {
    const auto one = packed(codec, lines);
    const auto data = one + one;
    for (std::size_t n = 0; n < data.size(); ++n) {
      CAPTURE(n);
      if (n == one.size()) continue;
      CHECK(refusal(codec, data.substr(0, n)) == "truncated");
    }
    CHECK(unpacked(codec, one, 100, 100) == lines);
  }
  CHECK(unpacked(compression::none, "", 1, 1).empty());
}

TEST_CASE("zeros behind the last gzip member are padding, anything else is refused") {
  const auto data = packed(compression::gzip, "line\n");
  const std::string zeros(1000, '\0');
  for (const std::size_t chunk : {1, 3, 10'000}) {
    CAPTURE(chunk);
    CHECK(unpacked(compression::gzip, data + zeros, chunk, 100) == "line\n");
    const auto behind = "something that is not gzip follows the last gzip member";
    CHECK(refusal(compression::gzip, data + "x", chunk) == behind);
    CHECK(refusal(compression::gzip, data + zeros + "x", chunk) == behind);
    CHECK(refusal(compression::gzip, data + zeros + data, chunk) == behind);
    CHECK(refusal(compression::gzip, data + "\x1fx", chunk).starts_with("damaged gzip data"));
    CHECK(refusal(compression::zstd, packed(compression::zstd, "line\n") + "xxxxx", chunk)
              .starts_with("damaged zstd data, or something else behind it"));
  }
}

TEST_CASE("what is not of its codec is refused") {
  CHECK(refusal(compression::gzip, "{\"Item\":{}}").starts_with("damaged gzip data"));
  CHECK(refusal(compression::zstd, "{\"Item\":{}}").starts_with("damaged zstd data"));
}

TEST_CASE("a changed byte is refused, or changes nothing, in a stream too") {
  const auto lines = sample_lines(2'000);
  for (const auto codec : {compression::gzip, compression::zstd}) {
    const auto data = packed(codec, lines);
    std::size_t harmless = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
      CAPTURE(i);
      auto changed = data;
      changed[i] = static_cast<char>(changed[i] ^ 1);
      try {
        const auto back = unpacked(codec, changed, 1000, 1000);
        CHECK(back == lines);
        ++harmless;
      } catch (const format_error&) {
      }
    }
    CHECK(harmless < 20);
  }
}

TEST_CASE("after damage nothing more is read") {
  stream_reader reader(compression::gzip);
  std::string out = "kept";
  CHECK_THROWS_AS(reader.read("not gzip", out, 100), format_error);
  CHECK(out == "kept");
  CHECK_THROWS_AS(reader.read(packed(compression::gzip, "x"), out, 100), format_error);
  CHECK_THROWS_AS(reader.finish(), format_error);
}

TEST_CASE("a gzip header with name, comment and extra field is read") {
  const std::string raw = "{\"Item\":{}}\n";
  std::string data(1000, '\0');
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  gz_header head{};
  Bytef extra[] = {1, 2, 3, 4};
  char name[] = "lines.json", comment[] = "a comment";
  head.extra = extra;
  head.extra_len = 4;
  head.name = reinterpret_cast<Bytef*>(name);
  head.comment = reinterpret_cast<Bytef*>(comment);
  head.hcrc = 1;
  deflateSetHeader(&stream, &head);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(raw.data()));
  stream.avail_in = static_cast<uInt>(raw.size());
  stream.next_out = reinterpret_cast<Bytef*>(data.data());
  stream.avail_out = static_cast<uInt>(data.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  data.resize(data.size() - stream.avail_out);
  deflateEnd(&stream);
  for (const std::size_t chunk : {1, 2, 1000}) CHECK(unpacked(compression::gzip, data + data, chunk, 5) == raw + raw);
}

TEST_CASE("zstd frames may be skippable or lack their size") {
  const std::string skippable("\x5f\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  const auto frame = packed(compression::zstd, "line\n");
  for (const std::size_t chunk : {1, 5, 1000}) {
    CAPTURE(chunk);
    CHECK(unpacked(compression::zstd, skippable + frame + skippable + frame + skippable, chunk, 3) == "line\nline\n");
  }
  const auto lines = sample_lines(300'000);
  auto* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  std::string data(ZSTD_compressBound(lines.size()), '\0');
  data.resize(ZSTD_compress2(context, data.data(), data.size(), lines.data(), lines.size()));
  ZSTD_freeCCtx(context);
  REQUIRE(ZSTD_getFrameContentSize(data.data(), data.size()) == ZSTD_CONTENTSIZE_UNKNOWN);
  CHECK(unpacked(compression::zstd, data, 1000, 1000) == lines);
}

TEST_CASE("a zstd frame that asks for a window above 128 MiB is refused") {
  // Magic; a descriptor without single-segment flag and size; Window_Descriptor exponent 18 (256 MiB), mantissa 0.
  const std::string head("\x28\xb5\x2f\xfd\x00\x90", 6);
  const std::string empty_last_block("\x01\x00\x00", 3);
  CHECK(
      refusal(compression::zstd, head + empty_last_block).starts_with("zstd data with a window of more than 128 MiB"));
  const std::string allowed("\x28\xb5\x2f\xfd\x00\x88", 6);
  CHECK(unpacked(compression::zstd, allowed + empty_last_block, 100, 100).empty());
}

TEST_CASE("incompressible data is streamed too") {
  const auto bytes = noise(300'000);
  for (const auto codec : codecs) CHECK(unpacked(codec, packed(codec, bytes), 999, 1001) == bytes);
}
