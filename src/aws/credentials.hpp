// Who we are. The formatter of a secret prints ***: no credentials in a log, ever.
#pragma once
#include <chrono>
#include <optional>
#include <string>

#include "dynabackup/task.hpp"

namespace dynabackup::aws {

struct credentials {
  std::string access_key_id;
  std::string secret_access_key;
  std::string session_token;  ///< empty for long-lived keys
  std::optional<std::chrono::sys_seconds> expires;
  std::string source;  ///< "environment", "profile default (~/.aws/credentials)": for messages
};

/// The seam for every source: static now, refreshing ones later. current() may wait (single flight is its business).
class credential_provider {
 public:
  virtual ~credential_provider() = default;
  /// usage_error naming each source tried and why it had nothing.
  virtual task<credentials> current() = 0;
};

}  // namespace dynabackup::aws
