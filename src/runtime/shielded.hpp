// Clean-up that a cancellation must not cut short: aborting an upload, writing the last record.
#pragma once
#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

/// Runs `work` to its end even where the caller was cancelled already. The caller's later awaits are shielded too
/// (Asio keeps one cancellation state a coroutine thread), so rethrow right after.
task<void> shielded(task<void> work);

}  // namespace dynabackup::runtime
