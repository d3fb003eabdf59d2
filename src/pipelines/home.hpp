// The prefix where a table lies: may we write there, does the store keep conditions, what is covered
// (design sections 4 and 6; docs/format.md).
#pragma once
#include <optional>
#include <string>

#include "archive/descriptor.hpp"
#include "archive/run_record.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Metadata names on item objects (docs/format.md, "Item objects").
namespace meta {
inline constexpr const char* source = "source";
inline constexpr const char* md5 = "md5";
inline constexpr const char* run = "run";
inline constexpr const char* from_stream = "stream";
inline constexpr const char* from_backfill = "backfill";
}  // namespace meta

/// "id (S), at (N)", for messages.
std::string spell_key(const dynamodb::key_schema& key);

/// DescribeTable of a table that can be read and written; usage_error while it is created, deleted or archived.
task<dynamodb::table_description> require_table(run_context& run, std::string name);

/// usage_error when the bucket's versioning is not Enabled, unless `unversioned` (then a notice says what no longer
/// holds).
task<void> require_versioning(run_context& run, s3_location home, bool unversioned);

/// Reads the descriptor at `home`; nullopt when there is none.
task<std::optional<archive::descriptor>> find_descriptor(run_context& run, s3_location home);

/// Refuses (usage_error) a prefix of another table, a recreated table without `adopt`, and a prefix that holds another
/// tool's objects. Writes nothing. True: the descriptor is to be written.
task<bool> check_home(run_context& run, s3_location home, archive::descriptor now, bool adopt);

/// Writes the descriptor. Where If-None-Match is not enforced two writers may both succeed: the oldest version wins,
/// so it is read back and compared; usage_error when another table got there first.
task<void> claim_home(run_context& run, s3_location home, archive::descriptor now, bool conditional);

/// Whether the store enforces If-None-Match: * in this bucket: two conditional PUTs of one new key, which are removed.
task<bool> probe_conditions(run_context& run, s3_location home, std::string run_id);

/// What the run records, gaps and dead letters say (design section 4, "Coverage").
struct coverage {
  std::string missing;                ///< why not covered; empty = covered
  std::vector<std::string> warnings;  ///< one-off backups
  /// Items of the one-off backup that covers: nobody records deletions there, so more objects than these are stale.
  std::optional<std::uint64_t> one_off_items;
};
task<coverage> coverage_of(run_context& run, s3_location home);

/// Writes runs/<id>.json. Returns its last-modified time: the bucket's clock.
task<s3::time_point> save_run_record(run_context& run, s3_location home, archive::run_record record);

/// "20261122T114503Z-1f3a9c2e": sorts by the bucket's time (ours before it has said anything), differs between
/// machines.
std::string new_run_id(run_context& run);

}  // namespace dynabackup::pipelines
