// DescribeTable answers: read or refused, and what was read keeps the promises of table_description.hpp.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dynabackup/error.hpp"
#include "dynamodb/table_description.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  try {
    const auto table = dynamodb::read_table_description({reinterpret_cast<const char*>(data), size});
    if (table.status != "DELETING" && (table.key.empty() || table.arn.empty() || table.created.empty())) std::abort();
    if (table.key.size() > 2) std::abort();
  } catch (const format_error&) {
  }
  return 0;
}
