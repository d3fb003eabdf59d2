// What a request's own words are at odds with, where a caller answers differently to each (an HTTP status).
#pragma once
#include <string>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup {

/// What the request names is taken, or is not what it was. Exit code 2.
class conflict_error : public usage_error {
 public:
  /// `advice` speaks of the command line; whoever is asked otherwise has `fact`.
  conflict_error(std::string fact, const std::string& advice) : usage_error(fact + advice), fact(std::move(fact)) {}
  std::string fact;
};

/// A restore that is to go on has no checkpoint: it has ended, or never got so far.
class no_checkpoint_error : public not_found_error {
 public:
  using not_found_error::not_found_error;
};

}  // namespace dynabackup
