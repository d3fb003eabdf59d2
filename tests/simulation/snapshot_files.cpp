#include "simulation/snapshot_files.hpp"

#include <algorithm>

#include "archive/block_codec.hpp"
#include "crypto/crc32.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::simulation {

packed_lines pack(const std::vector<std::string>& lines, compression codec, std::size_t lines_a_block) {
  packed_lines packed;
  packed.manifest.codec = codec;
  archive::block_writer writer(codec);
  for (std::size_t at = 0; at < lines.size() || at == 0; at += lines_a_block) {
    std::string raw;
    const std::size_t end = std::min(lines.size(), at + lines_a_block);
    for (std::size_t i = at; i < end; ++i) raw += lines[i] + '\n';
    const std::size_t before = packed.bytes.size();
    writer.append(raw, packed.bytes);
    const std::string_view block = std::string_view(packed.bytes).substr(before);
    if (!block.empty())
      packed.manifest.blocks.push_back({before, block.size(), raw.size(), end - at, crypto::crc32(block)});
    packed.manifest.items += end - at;
    packed.manifest.raw_size += raw.size();
  }
  packed.manifest.size = packed.bytes.size();
  packed.manifest.sha256 = crypto::sha256_hex(packed.bytes);
  return packed;
}

std::vector<std::string> unpack(const std::string& bytes) {
  archive::stream_reader reader(archive::sniff(bytes));
  std::string raw;
  std::string_view left = bytes;
  while (!left.empty()) left.remove_prefix(reader.read(left, raw, std::size_t{1} << 20));
  for (std::size_t before = raw.size() + 1; before != raw.size();) {
    before = raw.size();
    reader.read({}, raw, std::size_t{1} << 20);
  }
  reader.finish();
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t end = raw.find('\n', at);
    if (end == std::string::npos) throw format_error("the last line has no end");
    lines.push_back(raw.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

}  // namespace dynabackup::simulation
