// BatchWriteItem answers: what is left over is a request whose RequestItems, sent back, mean the same again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dynabackup/error.hpp"
#include "dynamodb/write_batch.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  dynamodb::write_outcome first;
  try {
    first = dynamodb::read_write_outcome({reinterpret_cast<const char*>(data), size});
  } catch (const format_error&) {
    return 0;
  }
  if (first.unprocessed.empty() != (first.unprocessed_items == 0)) std::abort();
  if (first.unprocessed.empty()) return 0;
  std::string echoed = first.unprocessed;
  echoed.replace(echoed.find("RequestItems"), 12, "UnprocessedItems");
  const dynamodb::write_outcome second = dynamodb::read_write_outcome(echoed);
  if (second.unprocessed != first.unprocessed || second.unprocessed_items != first.unprocessed_items) std::abort();
  return 0;
}
