// <name>.manifest.json: what a snapshot holds and where its blocks are (docs/format.md, "Manifest"). Pure.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/descriptor.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::archive {

/// One independent piece: a gzip member, a zstd frame, or plain lines; always whole lines.
struct block {
  std::uint64_t offset = 0;    ///< in the object
  std::uint64_t size = 0;      ///< bytes in the object
  std::uint64_t raw_size = 0;  ///< bytes of lines, at most max_block_bytes
  std::uint64_t items = 0;
  std::uint32_t crc32 = 0;  ///< zlib's CRC-32 of the bytes in the object
};

struct manifest {
  int format = 1;
  std::string etag;  ///< of the object this speaks of
  std::uint64_t size = 0;
  std::string sha256;  ///< lower hex, of the object's bytes
  compression codec = compression::gzip;
  std::uint64_t items = 0;
  std::uint64_t raw_size = 0;
  std::string source;    ///< s3://bucket/prefix/
  std::string from, to;  ///< window of the listing, RFC 3339 by the bucket's clock
  std::string at;        ///< a past moment, RFC 3339; empty for the current state
  bool covered = false;
  std::string not_covered;  ///< why not
  std::optional<descriptor> table;
  std::vector<block> blocks;
};

inline constexpr std::size_t max_manifest_bytes = std::size_t{64} << 20;

std::string write_manifest(const manifest& m);
/// format_error: damaged, blocks that are too large or do not add up to size, items and raw_size, or a newer format.
manifest read_manifest(std::string_view body);

std::string_view codec_name(compression c);  ///< "gzip", "zstd", "none"

}  // namespace dynabackup::archive
