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
  std::string session_token;                        ///< empty for long-lived keys
  std::optional<std::chrono::sys_seconds> expires;  ///< by this machine's clock
  std::string source;  ///< "environment", "profile default (~/.aws/credentials)": for messages
};

/// Whether a service could tell them apart.
inline bool same_keys(const credentials& a, const credentials& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key &&
         a.session_token == b.session_token;
}

/// A place to get credentials from, asked anew at every call; credential_cache decides when.
class credential_source {
 public:
  virtual ~credential_source() = default;
  /// dynabackup::error, naming the place and never a secret, when there are none to be had.
  virtual task<credentials> fetch() = 0;
};

/// What signatures are made with. Waiting, refreshing and single flight are its business.
class credential_provider {
 public:
  virtual ~credential_provider() = default;
  /// usage_error naming each source tried and why it had nothing.
  virtual task<credentials> current() = 0;
  /// A service refused `stale`. True: there are others now, and a second try is worth it. Throws what kept it from
  /// getting others.
  virtual task<bool> refresh([[maybe_unused]] credentials stale) { co_return false; }
  /// A run is over: a refresh that nobody waits for is given up.
  virtual void rest() {}
};

}  // namespace dynabackup::aws
