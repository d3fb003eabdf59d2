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

  struct table_writes {
    std::uint64_t puts = 0;           ///< of BatchWriteItem, done
    std::uint64_t unprocessed = 0;    ///< handed back as UnprocessedItems
    std::uint64_t over_existing = 0;  ///< done where the key had an item
    std::uint64_t over_equal = 0;     ///< done where the key had the very same item
  };
  std::map<std::string, table_writes, std::less<>> tables;

  [[nodiscard]] std::string json() const;

 private:
  std::map<std::string, std::uint64_t, std::less<>> requests_;
  std::array<std::uint64_t, fault_kinds> faults_{};
  std::uint64_t objects_stored_ = 0;
  std::uint64_t objects_there_already_ = 0;
};

}  // namespace dynabackup::fakes
