// ListEventSourceMappings answers: read or refused, and what was read may be put into a command for the user.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/event_source_mappings.hpp"
#include "dynabackup/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  try {
    const auto page = aws::read_event_source_mappings({reinterpret_cast<const char*>(data), size});
    if (page.mappings.size() > 1'000 || (page.next && page.next->empty())) std::abort();
    for (const aws::event_source_mapping& m : page.mappings) {
      const auto harmless = [](char c) {
        return c > ' ' && c < 0x7f && std::string_view("'\"`;&|<>()\\").find(c) == std::string_view::npos;
      };
      for (const std::string& text : {m.uuid, m.function, m.state})
        if (text.empty() || !std::ranges::all_of(text, harmless)) std::abort();
      if (m.uuid.find('$') != std::string::npos) std::abort();
    }
  } catch (const format_error& e) {
    if (std::string_view(e.what()).size() > 200) std::abort();
  }
  return 0;
}
