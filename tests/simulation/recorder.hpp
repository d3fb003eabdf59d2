// The reference recorder: brings every change of the table into the bucket after a lag of its own, in order a key, as
// design and docs/format.md say. It makes no mistakes: what differs in the end is not its doing.
#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "fakes/aws/fake_dynamodb.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/virtual_clock.hpp"
#include "simulation/dice.hpp"

namespace dynabackup::simulation {

/// {"Item":<canonical item>}
std::string body_of(const std::string& canonical_item);

class recorder {
 public:
  recorder(fakes::timeline& time, fakes::fake_s3& store, std::uint64_t seed)
      : time_(time), store_(store), dice_(seed) {}

  void write_to(std::string bucket, std::string prefix, std::string stream_label);
  /// One change of the table: recorded some time later, behind all earlier ones of its key.
  void take(const fakes::table_change& change);
  /// Puts an item at once, as if its change had been recorded now.
  void record(const std::string& key, const std::string& canonical_item, std::uint64_t sequence);

 private:
  milliseconds lag();

  fakes::timeline& time_;
  fakes::fake_s3& store_;
  dice dice_;
  std::string bucket_, prefix_, label_;
  std::map<std::string, milliseconds> busy_until_;  // by key
};

}  // namespace dynabackup::simulation
