// Knows what must be in the bucket, because it sees the table, and says what is not so.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "archive/run_record.hpp"
#include "dynabackup/report.hpp"
#include "s3/listing.hpp"
#include "simulation/trial.hpp"
#include "simulation/world.hpp"

namespace dynabackup::simulation {

enum class difference_kind {
  missing,  ///< an item of the table without an object
  altered,  ///< the current object holds another state of the item
  revived   ///< a current object whose item is not in the table
};

struct difference {
  difference_kind kind;
  std::string object;  ///< its key in the bucket
  std::string key;     ///< of the item; empty when it is not in the table
};

/// The table against the current objects under its prefix.
std::vector<difference> differences(const world& outside);
std::string describe(const difference& d);

/// Every version and delete marker of the bucket whose key begins so.
std::vector<s3::listed_version> versions_under(world& outside, const std::string& bucket, const std::string& prefix);

/// The run record that counts: of the last run by id.
std::optional<archive::run_record> newest_run(const world& outside);

/// What a finished backfill left and what it said of it.
void judge_backfill(world& outside, const report& told, verdict& v);

}  // namespace dynabackup::simulation
