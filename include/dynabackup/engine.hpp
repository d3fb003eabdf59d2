// The library's front door: settings in, one coroutine per operation, or run() for a caller without an io_context.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "dynabackup/error.hpp"
#include "dynabackup/item_versions.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "dynabackup/task.hpp"
#include "dynabackup/transport.hpp"

namespace dynabackup {

/// By when an operation has to be over.
struct time_limit {
  using time_point = std::chrono::steady_clock::time_point;
  time_point stop;    ///< as the first signal: producers stop, what is in flight is settled
  time_point cancel;  ///< as the second one: what is in flight is given up, only the notes of a stopped run are saved
  time_point end;     ///< whatever is under way is left as it is
};

class engine {
 public:
  /// Checks the settings (usage_error) and builds the transport stacks; sends nothing yet.
  explicit engine(settings configuration);
  /// The same over a network of your own (owned by the caller): tests plug theirs in here.
  engine(settings configuration, transport& network);
  ~engine();
  engine(engine&&) noexcept;

  /// Every item of a table to its own object; never overwrites what the stream wrote.
  task<report> backfill(backfill_options what, progress& seen);
  /// The current state of an incremental bucket as one object, with a manifest.
  task<report> snapshot(snapshot_options what, progress& seen);
  /// Every item of a snapshot into an existing table.
  task<report> restore(restore_options what, progress& seen);
  /// Every item that an incremental bucket held at a past moment into an existing table.
  task<report> restore_past(past_restore_options what, progress& seen);

  /// The changes of a table, out of its stream, until the stream ends or a signal comes: then the report says
  /// `interrupted`, and none is thrown.
  task<report> follow(follow_options what, progress& seen);
  /// The changes of one Lambda event of a DynamoDB stream, into the incremental bucket. What could not be recorded is
  /// in the report's `changes`, also where the run was interrupted; an event that is none is a format_error. What was
  /// learned of bucket and table is kept for the next event.
  task<report> record_changes(record_options what, std::string event_json, progress& seen);

  /// Every version of one item that an incremental bucket holds, newest first. `to` outlives the task.
  task<report> history(item_options what, item_listener& to, progress& seen);
  /// The item as it is, or was: at most one version.
  task<report> show(item_options what, item_listener& to, progress& seen);

  /// Runs one operation to its end on this thread. First SIGINT/SIGTERM: producers stop, what is in flight is settled
  /// (at most 10 s), `interrupted` is thrown; a second one cancels at once. `tick` is called every `tick_every`.
  /// A `limit` does the same at its times, and out_of_time is thrown. Past its end the engine is broken off in the
  /// middle (see broken_off()); what an operation that has ended in time leaves behind has until that end, too.
  report run(task<report> operation, const std::function<void()>& tick = {},
             std::chrono::milliseconds tick_every = std::chrono::milliseconds{200},
             std::optional<time_limit> limit = std::nullopt);
  /// A run, or what it left behind, went past its limit's end: neither another run nor the destructor may follow, only
  /// the end of the process.
  [[nodiscard]] bool broken_off() const;

 private:
  struct parts;
  void drain(const std::optional<time_limit>& limit);
  std::unique_ptr<parts> parts_;
};

}  // namespace dynabackup
