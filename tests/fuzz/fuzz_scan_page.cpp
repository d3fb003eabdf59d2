// Scan answers: each item is a slice of the body between its braces, slices follow each other.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dynabackup/error.hpp"
#include "dynamodb/scan_page.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  try {
    const dynamodb::scan_page page(response{200, {}, std::string(reinterpret_cast<const char*>(data), size), {}});
    const char* behind = nullptr;
    for (std::size_t i = 0; i < page.size(); ++i) {
      const std::string_view item = page.item(i);
      if (item.size() < 2 || item.front() != '{') std::abort();
      if (item.back() != '}' && item.back() != ']') std::abort();
      if (behind != nullptr && item.data() <= behind) std::abort();
      behind = item.data() + item.size() - 1;
    }
    if (page.next() && page.next()->front() != '{') std::abort();
  } catch (const format_error&) {
  }
  return 0;
}
