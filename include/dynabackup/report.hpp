// What an operation is doing (progress) and what it did (report). Plain counters: pipelines add, a front end reads.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace dynabackup {

/// Live counters of one run. Single threaded: read them from the engine's own thread (a timer).
struct progress {
  std::uint64_t items = 0;      ///< settled: stored, written or found to be there
  std::uint64_t bytes = 0;      ///< of those items, as canonical JSON
  std::uint64_t requests = 0;   ///< HTTP attempts sent
  std::uint64_t retries = 0;    ///< attempts after the first, and batches resent for UnprocessedItems
  std::uint64_t throttles = 0;  ///< answers that asked to slow down
  std::uint64_t in_flight = 0;  ///< requests under way now
  std::uint64_t peak_in_flight = 0;
  bool resumable = false;                        ///< restore: a checkpoint tells where it may go on
  std::optional<std::chrono::milliseconds> lag;  ///< follow: of the changes recorded last
  std::optional<std::uint64_t> expected_items;   ///< an estimate where there is one
  std::vector<std::string> notices;              ///< lines for the user, in order; the front end shows and clears them
};

/// One thing that was left out or differs, by name, never by content.
struct finding {
  std::string kind;        ///< "differs", "refused", "skipped", …
  std::string object;      ///< object key, or snapshot name
  std::uint64_t line = 0;  ///< 1-based line in a snapshot; 0 = none
  std::string detail;
};

/// What an operation would do (--dry-run) or is about to do, estimated from DescribeTable, a listing or a manifest.
struct plan {
  std::uint64_t items = 0;
  std::uint64_t bytes = 0;
  double read_units = 0;   ///< DynamoDB capacity units in all
  double write_units = 0;  ///< likewise
  std::uint64_t table_requests = 0;
  std::uint64_t object_requests = 0;
  double dollars = 0;  ///< at list price: us-east-1, on-demand, November 2026
};

/// What became of changes that a table's stream told.
struct recorded {
  std::uint64_t records = 0;
  std::uint64_t puts = 0;
  std::uint64_t deletes = 0;
  std::uint64_t repeats = 0;        ///< recorded before, or something newer is there
  std::uint64_t coalesced = 0;      ///< left out for a newer change of the same key
  std::uint64_t dead_letters = 0;   ///< could not be read, kept as they are
  std::chrono::milliseconds lag{};  ///< between the oldest change among them and its being recorded
  /// Lowest sequence number from which on records have to be delivered again; empty text: all of them.
  std::optional<std::string> first_failed;
  std::string failure;  ///< why

  /// Sums up; the first failure stays.
  void add(const recorded& more);
};

/// Of a past moment: which, and how far the recorder was behind then. Delete markers tell no times.
struct past_state {
  std::string at;             ///< RFC 3339, UTC: the state at the end of that second, by the bucket's clock
  std::string last_recorded;  ///< when the newest recorded change in it arrived; empty: none is in it
  /// Recorded changes that were looked at and arrived within a minute of the moment, or later and were made by then.
  std::uint64_t changes = 0;
  /// The longest between one of them and its arrival; without them that of the newest before the moment.
  std::optional<std::chrono::milliseconds> lag;
  std::uint64_t late = 0;  ///< of the first 256 changes behind the moment those made by then: the state lacks them
};

struct report {
  std::string operation;    ///< "backfill", "snapshot", "restore", "record", "follow"
  std::string source;       ///< table, or s3://…
  std::string destination;  ///< s3://…, or table
  std::uint64_t items_read = 0;
  std::uint64_t items_written = 0;
  std::uint64_t items_present = 0;  ///< already there and equal, or there and newer
  std::uint64_t items_differing = 0;
  std::uint64_t items_refused = 0;
  std::uint64_t objects_skipped = 0;  ///< names or versions that are none of ours
  std::uint64_t items_resumed = 0;    ///< settled before, by the run that a checkpoint told of; in the counts above
  std::uint64_t sweep_judged = 0;     ///< versions of backfills that the sweep compared with the table
  std::uint64_t sweep_undone = 0;     ///< of those, removed or replaced
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t throttles = 0;
  std::uint64_t peak_in_flight = 0;
  bool memory_bound = false;  ///< the byte budget, not parallelism, set the pace at some time
  double seconds = 0;
  std::optional<recorded> changes;    ///< of record and follow
  std::optional<past_state> past;     ///< of a snapshot or a restore of a past moment
  std::optional<plan> planned;        ///< only with dry_run: nothing was written
  bool interrupted = false;           ///< follow: a signal ended it; all that was read is settled. Exit code 130
  std::string not_covered;            ///< why the result is outside coverage (design section 4); empty = covered
  std::vector<std::string> warnings;  ///< whole sentences
  std::vector<finding> findings;      ///< at most `max_findings`; the counters count all
  static constexpr std::size_t max_findings = 1000;

  void add(finding f) {
    if (findings.size() < max_findings) findings.push_back(std::move(f));
  }
  /// Nothing differs, nothing was left out, everything is covered: exit code 0, else 3.
  [[nodiscard]] bool whole() const {
    return items_differing == 0 && items_refused == 0 && objects_skipped == 0 && not_covered.empty();
  }
};

}  // namespace dynabackup
