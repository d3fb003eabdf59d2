// Whatever is taken as a line: its item, bare or wrapped, reads as the same item with the same key.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "archive/object_name.hpp"
#include "archive/snapshot_line.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;

namespace {

void reads_as(archive::line_reader& lines, const std::string& line, const std::string& item, const std::string& key,
              archive::line_kind kind) {
  std::string same_item;
  std::string same_key;
  if (lines.read(line, same_item, same_key) != kind || same_item != item || same_key != key) std::abort();
}

void check(archive::line_reader& lines, const std::string& line) {
  std::string item;
  std::string key;
  try {
    lines.read(line, item, key);
  } catch (const dynabackup::format_error&) {
    if (!item.empty() || !key.empty()) std::abort();
    return;
  }
  reads_as(lines, item, item, key, archive::line_kind::bare);
  reads_as(lines, std::string(archive::body_head) + item + std::string(archive::body_tail), item, key,
           archive::line_kind::wrapped);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string line(reinterpret_cast<const char*>(data), size);
  archive::line_reader readers[] = {archive::line_reader({{"id", 'S'}}),
                                    archive::line_reader({{"id", 'B'}, {"n", 'N'}}),
                                    archive::line_reader({{"Item", 'S'}}), archive::line_reader({{"M", 'N'}})};
  for (auto& reader : readers) check(reader, line);
  return 0;
}
