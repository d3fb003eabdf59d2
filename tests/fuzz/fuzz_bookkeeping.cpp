// The documents beside a table's items: what is read is written again in a form that reads as itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "archive/checkpoint.hpp"
#include "archive/descriptor.hpp"
#include "archive/manifest.hpp"
#include "archive/recorder_state.hpp"
#include "archive/run_record.hpp"
#include "dynabackup/error.hpp"

namespace {

template <class Read, class Write>
void round_trip(std::string_view body, Read read, Write write) {
  decltype(read(body)) document;
  try {
    document = read(body);
  } catch (const dynabackup::format_error&) {
    return;
  }
  const auto written = write(document);
  if (write(read(written)) != written) std::abort();
}

void check_blocks(const dynabackup::archive::manifest& m) {
  std::uint64_t size = 0;
  for (const auto& b : m.blocks) {
    if (b.offset != size) std::abort();
    size += b.size;
  }
  if (size != m.size) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace archive = dynabackup::archive;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 'd':
      round_trip(body, [](std::string_view b) { return archive::read_descriptor(b); }, archive::write_descriptor);
      break;
    case 'r':
      round_trip(body, archive::read_run_record, archive::write_run_record);
      break;
    case 'm':
      round_trip(body, archive::read_manifest, [](const archive::manifest& m) {
        check_blocks(m);
        return archive::write_manifest(m);
      });
      break;
    case 'b':
      round_trip(body, archive::read_backfill_checkpoint,
                 [](const archive::backfill_checkpoint& c) { return archive::write_checkpoint(c); });
      break;
    case 's':
      round_trip(body, archive::read_restore_checkpoint,
                 [](const archive::restore_checkpoint& c) { return archive::write_checkpoint(c); });
      break;
    case 'f':
      round_trip(body, archive::read_recorder_state, archive::write_recorder_state);
      break;
    default:
      break;
  }
  return 0;
}
