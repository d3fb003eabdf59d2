// Time as a seam: whoever sleeps or asks the hour does it here, so that tests own time.
#pragma once
#include <chrono>

#include "dynabackup/task.hpp"

namespace dynabackup::runtime {

class clock {
 public:
  using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;
  using steady_time = std::chrono::steady_clock::time_point;
  virtual ~clock() = default;
  [[nodiscard]] virtual wall_time now() const = 0;
  [[nodiscard]] virtual steady_time steady_now() const = 0;
  /// Cancellation throws operation_aborted.
  virtual task<void> sleep(std::chrono::milliseconds duration) = 0;
};

class system_clock final : public clock {
 public:
  [[nodiscard]] wall_time now() const override;
  [[nodiscard]] steady_time steady_now() const override;
  task<void> sleep(std::chrono::milliseconds duration) override;
};

}  // namespace dynabackup::runtime
