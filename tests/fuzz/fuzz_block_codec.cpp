// Compressed bytes of others: as one block and as a stream in chunks, and the lines in what comes out.
// First byte: the codec, 0 = by magic; second: chunk size; third and fourth: stated size of the block.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "archive/block_codec.hpp"
#include "archive/line_splitter.hpp"
#include "dynabackup/error.hpp"

namespace {

using namespace dynabackup;

constexpr std::size_t max_total_out = std::size_t{1} << 20;

void read_lines(std::string_view bytes, std::size_t chunk) {
  archive::line_splitter splitter;
  std::size_t last = 0;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(chunk, bytes.size()))) {
    splitter.feed(bytes.substr(0, chunk));
    while (const auto line = splitter.next()) {
      if (line->find('\n') != std::string_view::npos) std::abort();
    }
  }
  while (splitter.finish()) ++last;
  if (last > 1 || splitter.buffered() != 0) std::abort();
}

void read_stream(compression codec, std::string_view bytes, std::size_t chunk) {
  archive::stream_reader reader(codec);
  std::string out;
  while (!bytes.empty() && out.size() < max_total_out) {
    const auto before = out.size();
    const auto used = reader.read(bytes.substr(0, chunk), out, chunk * 7);
    if (used > std::min(chunk, bytes.size()) || out.size() - before > chunk * 7) std::abort();
    if (used == 0 && out.size() == before) std::abort();
    bytes.remove_prefix(used);
  }
  read_lines(out, chunk);
  if (bytes.empty()) reader.finish();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 4) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 4, size - 4);
  constexpr compression codecs[] = {compression::gzip, compression::zstd, compression::none};
  const auto codec = data[0] % 4 == 0 ? archive::sniff(bytes) : codecs[data[0] % 4 - 1];
  const std::size_t raw_size = data[2] + 256U * data[3];
  try {
    if (archive::read_block(codec, bytes, raw_size).size() != raw_size) std::abort();
  } catch (const format_error&) {
  }
  try {
    read_stream(codec, bytes, std::size_t{data[1]} + 1);
  } catch (const format_error&) {
  }
  return 0;
}
