// DescribeStream and GetShardIterator answers: read or refused, and what was read keeps the promises of
// stream_description.hpp.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dynabackup/error.hpp"
#include "dynamodb/stream_description.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  try {
    const dynamodb::stream_page page = dynamodb::read_stream_page(body);
    for (const dynamodb::stream_shard& s : page.shards)
      if (s.id.empty()) std::abort();
  } catch (const format_error&) {
  }
  try {
    if (dynamodb::read_shard_iterator(body).empty()) std::abort();
  } catch (const format_error&) {
  }
  return 0;
}
