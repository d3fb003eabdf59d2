// What came over the wire and what became of it, counted for oracles.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "fakes/server/socket_faults.hpp"

namespace dynabackup::fakes {

class traffic {
 public:
  /// A request arrived, whatever happens to it.
  void arrived(const request& r);
  void faulted(fault_kind kind) { ++faults_[static_cast<std::size_t>(kind)]; }
  /// A service carried it out, whether or not its answer reaches anybody.
  void served(const request& r, const response& answer);

  /// So many requests of a BatchWriteItem were handed back as UnprocessedItems.
  void unprocessed(std::size_t requests) { unprocessed_items_ += requests; }

  /// `dynamodb`: what fake_dynamodb counted itself, as JSON.
  [[nodiscard]] std::string json(std::string_view dynamodb) const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> requests_;
  std::array<std::uint64_t, fault_kinds> faults_{};
  std::uint64_t objects_stored_ = 0;
  std::uint64_t objects_there_already_ = 0;
  std::uint64_t unprocessed_items_ = 0;
};

}  // namespace dynabackup::fakes
