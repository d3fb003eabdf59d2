// Bounds what is in flight. Single threaded; waiters are served in order.
#pragma once
#include <cstddef>
#include <utility>
#include <vector>

#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

class semaphore {
 public:
  /// A place; given back on destruction. The next waiter is posted, never resumed inside the destructor.
  class permit {
   public:
    permit() = default;
    permit(permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    permit& operator=(permit&& other) noexcept;
    ~permit() { release(); }
    void release();

   private:
    friend class semaphore;
    explicit permit(semaphore* owner) : owner_(owner) {}
    semaphore* owner_ = nullptr;
  };

  /// `permits` must be a power of two (std::invalid_argument): the unit of every sizing in this house.
  explicit semaphore(std::size_t permits);
  ~semaphore();
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  /// Cancellation throws operation_aborted and takes nothing.
  task<permit> acquire();

  [[nodiscard]] std::size_t permits() const { return permits_; }
  [[nodiscard]] std::size_t in_use() const { return in_use_; }

 private:
  struct waiter;
  void give_back();

  std::size_t permits_;
  std::size_t in_use_ = 0;
  std::vector<waiter*> ring_;  // masked ring, grown by doubling
  std::size_t head_ = 0;
  std::size_t waiting_ = 0;
};

}  // namespace dynabackup::runtime
