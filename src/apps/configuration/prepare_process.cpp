#include "apps/configuration/prepare_process.hpp"

#include <csignal>
#include <malloc.h>

namespace dynabackup::apps {

void prepare_process() {
#ifdef __GLIBC__
  // Large blocks (pages, bodies, parts) go back to the kernel as they are freed, so that resident memory follows the
  // byte budget; glibc's own thresholds grow with the sizes it sees, and then keep what was freed.
  constexpr int large_block_bytes = 256 * 1024;
  mallopt(M_MMAP_THRESHOLD, large_block_bytes);
  mallopt(M_TRIM_THRESHOLD, 2 * large_block_bytes);
#endif
  // A closed pipe or connection shows as a failed write, with its message and exit code.
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace dynabackup::apps
