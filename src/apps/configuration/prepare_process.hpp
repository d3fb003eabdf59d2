// What a process of ours arranges for itself before anything else.
#pragma once

namespace dynabackup::apps {

/// How memory goes back to the kernel, and that a closed pipe is a failed write.
void prepare_process();

}  // namespace dynabackup::apps
