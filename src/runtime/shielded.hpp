// Clean-up that a cancellation must not cut short, and that must not hold up the end either: aborting an upload.
#pragma once
#include <chrono>

#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

/// Runs `work` even where the caller was cancelled already, for `limit` at the most, then cancels it. The caller's
/// later awaits are shielded too (Asio keeps one cancellation state a coroutine thread), so rethrow right after.
task<void> shielded(task<void> work, std::chrono::milliseconds limit);

}  // namespace dynabackup::runtime
