// Bounds what is in flight. Single threaded; waiters are served in order. A place is one unit of a budget:
// the same line, the same care when a waiter is cancelled while it is being served.
#pragma once
#include <cstddef>
#include <utility>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

class semaphore {
 public:
  /// A place; given back on destruction. The next waiter is posted, never resumed inside the destructor.
  class permit {
   public:
    permit() = default;
    void release() noexcept { place_.release(); }

   private:
    friend class semaphore;
    explicit permit(byte_budget::charge place) : place_(std::move(place)) {}
    byte_budget::charge place_;
  };

  /// `permits` must be a power of two (std::invalid_argument): the unit of every sizing in this house.
  explicit semaphore(std::size_t permits);

  /// Cancellation throws operation_aborted and takes nothing.
  task<permit> acquire();

  [[nodiscard]] std::size_t permits() const { return places_.limit(); }
  [[nodiscard]] std::size_t in_use() const { return places_.used(); }

 private:
  byte_budget places_;
};

}  // namespace dynabackup::runtime
