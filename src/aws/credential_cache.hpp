// Keeps credentials fresh through a run of any length: fetched when first asked for, refreshed beside the requests well
// before they expire, waited for only in the last moments. One fetch at a time, however many ask; no timers.
#pragma once
#include <cstdint>
#include <memory>

#include "aws/credentials.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

class credential_cache final : public credential_provider {
 public:
  credential_cache(std::unique_ptr<credential_source> source, runtime::clock& clock, std::uint64_t seed);
  ~credential_cache() override;
  /// A failed refresh goes unnoticed while the old credentials are valid; it is tried again, with growing pauses.
  task<credentials> current() override;
  task<bool> refresh(credentials stale) override;
  void rest() override;

 private:
  struct state;
  std::shared_ptr<state> state_;  // shared with a refresh under way
};

}  // namespace dynabackup::aws
