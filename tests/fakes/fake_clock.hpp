// Time that the test owns: sleeping takes no time and is written down.
#pragma once
#include <numeric>
#include <vector>

#include "runtime/clock.hpp"

namespace dynabackup::fakes {

class fake_clock final : public runtime::clock {
 public:
  wall_time wall{std::chrono::milliseconds{1'795'347'903'000}};  // 2026-11-22T11:45:03Z
  steady_time steady{std::chrono::seconds{1'000}};
  std::vector<std::chrono::milliseconds> sleeps;

  [[nodiscard]] wall_time now() const override { return wall; }
  [[nodiscard]] steady_time steady_now() const override { return steady; }
  task<void> sleep(std::chrono::milliseconds duration) override {
    sleeps.push_back(duration);
    wall += duration;
    steady += duration;
    co_return;
  }
  [[nodiscard]] std::chrono::milliseconds slept() const {
    return std::accumulate(sleeps.begin(), sleeps.end(), std::chrono::milliseconds{0});
  }
};

}  // namespace dynabackup::fakes
