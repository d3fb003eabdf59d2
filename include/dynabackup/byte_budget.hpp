// Bounded memory (design promise 4): one budget of bytes, charged at real size before anything is read or built.
// What does not fit waits, first come first served; when nothing is charged the next one goes whatever its size,
// so that an oversized page or item is slow, never stuck.
#pragma once
#include <cstddef>
#include <memory>
#include <utility>

#include "dynabackup/task.hpp"

namespace dynabackup {

class byte_budget {
  struct ledger;

 public:
  /// A share of the budget, given back on destruction. Move-only. Whoever waits next is posted, never resumed inside.
  class charge {
   public:
    charge() = default;
    charge(charge&& other) noexcept : ledger_(std::move(other.ledger_)), bytes_(std::exchange(other.bytes_, 0)) {}
    charge& operator=(charge&& other) noexcept;
    ~charge() { release(); }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    /// Corrects the charge to what was really used. Never waits; growing may overdraw the budget,
    /// which then admits nobody until it has recovered. Nothing happens to an empty charge.
    void resize(std::size_t bytes);
    void release() noexcept;

   private:
    friend class byte_budget;
    charge(std::shared_ptr<ledger> owner, std::size_t bytes) noexcept : ledger_(std::move(owner)), bytes_(bytes) {}
    std::shared_ptr<ledger> ledger_;
    std::size_t bytes_ = 0;
  };

  explicit byte_budget(std::size_t limit_bytes);
  ~byte_budget();
  byte_budget(const byte_budget&) = delete;
  byte_budget& operator=(const byte_budget&) = delete;

  /// Waits until `bytes` fit (or nothing at all is charged). Cancellation throws operation_aborted and charges nothing.
  task<charge> acquire(std::size_t bytes);

  [[nodiscard]] std::size_t limit() const;
  [[nodiscard]] std::size_t used() const;
  /// How often somebody had to wait: the report says when memory, not parallelism, set the pace.
  [[nodiscard]] std::size_t waits() const;

 private:
  struct waiter;
  // Shared, because an io_context may be destroyed with coroutines in it, and those then give back in any order.
  std::shared_ptr<ledger> ledger_;
};

}  // namespace dynabackup
