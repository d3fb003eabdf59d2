// Bounded memory (design promise 4): one budget of bytes, charged at real size before anything is read or built.
// What does not fit waits, first come first served; when nothing is charged the next one goes whatever its size,
// so that an oversized page or item is slow, never stuck.
#pragma once
#include <cstddef>
#include <list>
#include <memory>
#include <utility>

#include "dynabackup/task.hpp"

namespace dynabackup {

class byte_budget {
 public:
  /// A share of the budget, given back on destruction. Move-only; must not outlive its budget.
  class charge {
   public:
    charge() = default;
    charge(charge&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    charge& operator=(charge&& other) noexcept;
    ~charge() { release(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// Corrects the charge to what was really used. Never waits; growing may overdraw the budget,
    /// which then admits nobody until it has recovered.
    void resize(std::size_t bytes);
    void release();

   private:
    friend class byte_budget;
    charge(byte_budget* budget, std::size_t bytes) : budget_(budget), bytes_(bytes) {}
    byte_budget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  explicit byte_budget(std::size_t limit_bytes);
  ~byte_budget();
  byte_budget(const byte_budget&) = delete;
  byte_budget& operator=(const byte_budget&) = delete;

  /// Waits until `bytes` fit (or nothing at all is charged). Cancellation throws operation_aborted and charges nothing.
  task<charge> acquire(std::size_t bytes);

  [[nodiscard]] std::size_t limit() const { return limit_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  /// How often somebody had to wait: the report says when memory, not parallelism, set the pace.
  [[nodiscard]] std::size_t waits() const { return waits_; }

 private:
  struct waiter;
  [[nodiscard]] bool fits(std::size_t bytes) const { return used_ == 0 || used_ + bytes <= limit_; }
  void give_back(std::size_t bytes);
  void wake();

  std::size_t limit_;
  std::size_t used_ = 0;
  std::size_t waits_ = 0;
  std::list<waiter*> waiting_;
};

}  // namespace dynabackup
