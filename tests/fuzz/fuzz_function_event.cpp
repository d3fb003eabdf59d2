// Any bytes as what a function was called with: an event and a request, or a format_error; and every answer is JSON
// again.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"
#include "lambda/function_event.hpp"
#include "lambda/runtime_api.hpp"

using namespace dynabackup;

namespace {

void read_request(const std::string& request) {
  try {
    const lambda::job_request wanted = lambda::read_job_request(request);
    for (const auto& member : {wanted.table, wanted.snapshot, wanted.token})
      if (member && member->empty()) std::abort();
  } catch (const format_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  // Whatever a message holds, its document can be read.
  lambda::read_function_event(lambda::failure_json({"Function.Failed", text}));
  read_request(text);
  try {
    const lambda::function_event event = lambda::read_function_event(text);
    read_request(event.request);
    if (!event.by_http() && event.request != text) std::abort();
  } catch (const format_error& e) {
    if (std::string_view(e.what()).empty()) std::abort();
  }
  return 0;
}
