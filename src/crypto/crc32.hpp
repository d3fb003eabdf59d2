// zlib's CRC-32 (RFC 1952 section 8), by libdeflate: gzip members, snapshot blocks, x-amz-crc32.
#pragma once
#include <cstdint>
#include <string_view>

namespace dynabackup::crypto {

/// `start`: the value so far, for bytes that come in pieces.
std::uint32_t crc32(std::string_view bytes, std::uint32_t start = 0);

}  // namespace dynabackup::crypto
