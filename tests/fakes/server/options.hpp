// The command line of aws-fake.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "fakes/server/socket_faults.hpp"

namespace dynabackup::fakes {

struct fake_options {
  struct bucket {
    std::string name;
    bool versioned = true;
  };
  struct synthetic_table {
    std::string name;
    std::uint64_t items = 0;
    std::size_t item_bytes = 400;
  };
  struct empty_table {
    std::string name;
    std::string key;
    char type = 'S';
  };
  std::uint16_t port = 0;
  std::vector<bucket> buckets;
  std::vector<synthetic_table> synthetic_tables;
  std::vector<empty_table> tables;
  double faults = 0;
  std::vector<fault_kind> fault_kinds;  ///< empty: all
  std::uint64_t seed = 1;
  std::size_t max_body_bytes = std::size_t{64} << 20;
  bool help = false;
};

extern const char* const usage;

/// Throws usage_error, naming what is wrong.
fake_options parse_options(const std::vector<std::string>& arguments);

}  // namespace dynabackup::fakes
