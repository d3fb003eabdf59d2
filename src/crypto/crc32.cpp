#include "crypto/crc32.hpp"

#include <libdeflate.h>

namespace dynabackup::crypto {

std::uint32_t crc32(std::string_view bytes, std::uint32_t start) {
  // libdeflate takes a null pointer for "give me the initial value" and would forget `start`.
  if (bytes.empty()) return start;
  return libdeflate_crc32(start, bytes.data(), bytes.size());
}

}  // namespace dynabackup::crypto
