// A bounded group of children: structured concurrency for the pipelines. bounded() joins every child on every path;
// the first failure cancels the siblings, makes start() throw so that producers stop, and is rethrown at the end.
#pragma once
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>

#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

/// Set by the first signal: producers ask it and stop, children in flight settle.
struct interruption {
  bool requested = false;
  /// Throws dynabackup::interrupted when requested.
  void check() const;
};

class in_flight {
 public:
  in_flight(std::size_t limit, const interruption& stop);
  ~in_flight();
  in_flight(const in_flight&) = delete;
  in_flight& operator=(const in_flight&) = delete;

  /// Waits for a place, then runs `child` beside the caller. The child owns what it needs.
  /// Throws the group's failure once there is one, and `interrupted` once that is requested; then `child` never runs.
  task<void> start(task<void> child);
  /// Waits until no child runs (a barrier inside a producer). Throws the group's failure.
  task<void> drain();
  [[nodiscard]] std::size_t running() const;

 private:
  friend task<void> bounded(std::size_t, const interruption&, std::function<task<void>(in_flight&)>);
  struct state;
  task<void> join();  // waits for all, whatever happens; cancellation of the caller meanwhile fails the group
  std::shared_ptr<state> state_;  // shared with the children, which may outlive it when an io_context is torn down
};

/// Runs `produce`, then waits for all children, whatever happened. `interrupted`, from the producer or a child, lets
/// the children settle and is rethrown at the end unless something else failed; any other failure cancels the children.
/// The caller's cancellation is passed on to every child.
task<void> bounded(std::size_t limit, const interruption& stop, std::function<task<void>(in_flight&)> produce);

}  // namespace dynabackup::runtime
