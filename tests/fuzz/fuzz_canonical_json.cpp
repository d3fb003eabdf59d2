// Whatever is taken as an item: its canonical form is its own canonical form, and simdjson agrees that it is JSON.
#include <cstdint>
#include <cstdlib>
#include <simdjson.h>
#include <string>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // A copy without anything behind it, so that a byte read too far is seen.
  const std::string input(reinterpret_cast<const char*>(data), size);
  const std::string exact(input);
  archive::canonicalizer canonical;
  std::string once;
  try {
    canonical.item(exact, once);
  } catch (const dynabackup::format_error&) {
    if (!once.empty()) std::abort();
    return 0;
  }
  std::string twice;
  canonical.item(once, twice);
  if (twice != once) std::abort();
  simdjson::dom::parser parser;
  if (parser.parse(input).error() != simdjson::SUCCESS || parser.parse(once).error() != simdjson::SUCCESS) std::abort();
  return 0;
}
