// The prefix where a table lies: may we write there, and does the store keep conditions (docs/format.md).
#pragma once
#include <optional>
#include <string>

#include "archive/descriptor.hpp"
#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Metadata names on item objects (docs/format.md, "Item objects").
namespace meta {
inline constexpr const char* source = "source";
inline constexpr const char* md5 = "md5";
inline constexpr const char* run = "run";
inline constexpr const char* stream = "stream";
inline constexpr const char* sequence_number = "sequence-number";
inline constexpr const char* changed_at = "changed-at";
inline constexpr const char* from_stream = "stream";
inline constexpr const char* from_backfill = "backfill";
}  // namespace meta

/// "id (S), at (N)", for messages.
std::string spell_key(const dynamodb::key_schema& key);

/// DescribeTable of a table that can be read and written; usage_error while it is created, deleted or archived.
task<dynamodb::table_description> require_table(run_context& run, std::string name);

/// usage_error when the bucket's versioning is not Enabled, unless `unversioned` (then a notice says what no longer
/// holds). Whether it is.
task<bool> require_versioning(run_context& run, s3_location home, bool unversioned);

/// Reads the descriptor at `home`; nullopt when there is none.
task<std::optional<archive::descriptor>> find_descriptor(run_context& run, s3_location home);

/// The same; not_found_error when there is none.
task<archive::descriptor> require_backup(run_context& run, s3_location home);

/// Refuses (usage_error) a prefix of another table, a recreated table without `adopt`, and a prefix that holds another
/// tool's objects. Writes nothing. True: the descriptor is to be written.
task<bool> check_home(run_context& run, s3_location home, archive::descriptor now, bool adopt);

/// Writes the descriptor. Where If-None-Match is not enforced two writers may both succeed: the oldest version wins,
/// so it is read back and compared; usage_error when another table got there first.
task<void> claim_home(run_context& run, s3_location home, archive::descriptor now, bool conditional);

/// What a store makes of conditions on writes. Some enforce one and not the other, or refuse whatever has one.
struct store_conditions {
  bool if_none_match = false;  ///< If-None-Match: * is refused over an object
  bool if_match = false;       ///< If-Match is taken with the current ETag and refused with another
};
/// Tries both in this bucket on a key of its own, which is removed.
task<store_conditions> probe_conditions(run_context& run, s3_location home, std::string run_id);

}  // namespace dynabackup::pipelines
