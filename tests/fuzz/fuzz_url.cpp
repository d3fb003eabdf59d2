// A URL is refused as a usage error of bounded, printable text, or it is read, and reads the same when written again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dynabackup/error.hpp"
#include "http/url.hpp"

using namespace dynabackup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  try {
    const http::url parts = http::parse_url(input);
    const http::url again = http::parse_url(parts.where.text() + parts.path);
    if (!(again.where == parts.where) || again.path != parts.path) std::abort();
    if (parts.path.ends_with('/') || parts.where.host.empty() || parts.where.port == 0) std::abort();
  } catch (const usage_error& e) {
    const std::string_view what = e.what();
    if (what.size() > 512 || !std::ranges::all_of(what, [](char c) { return c >= 0x20 && c <= 0x7e; })) std::abort();
  }
  return 0;
}
