// Two items, a line each: they are equal or something changed, forth as much as back, and it can be shown.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "apps/cli/columns.hpp"
#include "apps/cli/item_text.hpp"
#include "archive/canonical_json.hpp"
#include "archive/item_difference.hpp"
#include "dynabackup/error.hpp"

using namespace dynabackup;

namespace {

std::string canonical(std::string_view text) {
  std::string out;
  try {
    archive::canonicalizer().item(text, out);
  } catch (const format_error&) {
  }
  return out;
}

void check_width(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || cli::columns_of(text.substr(0, end)) > cli::page_columns) std::abort();
    text.remove_prefix(end + 1);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find('\n'), size);
  const std::string before = canonical(input.substr(0, end));
  const std::string after = canonical(input.substr(std::min(end + 1, size)));
  const auto forth = archive::differences(before, after);
  const auto back = archive::differences(after, before);
  const auto empty = [](const std::string& item) { return item.empty() || item == "{}"; };
  const bool equal = before == after || (empty(before) && empty(after));
  if (forth.empty() != equal || forth.size() != back.size()) std::abort();
  check_width(cli::changes_text(forth));
  for (const std::string& item : {before, after})
    if (!item.empty()) check_width(cli::item_text(item));
  return 0;
}
