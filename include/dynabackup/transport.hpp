// The one seam to the network: a whole request in, a whole response out. Layers (signing, retrying) wrap it.
#pragma once
#include "dynabackup/http.hpp"
#include "dynabackup/task.hpp"

namespace dynabackup {

class transport {
 public:
  virtual ~transport() = default;
  /// Sends one request. `r` stays the caller's and must live until the task ends; a layer may set headers in it
  /// (a signature, an attempt number). Any HTTP status is a response; transport_error when none arrived.
  /// Cancellation throws boost::system::system_error(operation_aborted).
  virtual task<response> send(request& r) = 0;
};

}  // namespace dynabackup
