// Time that nobody waits for: a timeline of events, clocks that sleep on it, and a driver that runs an io_context one
// handler at a time and moves time on when nothing is left to do. Deterministic: events of one moment run in order.
#pragma once
#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "runtime/clock.hpp"

namespace dynabackup::fakes {

/// The world's own time, and what will happen in it. Outlives every run in that world.
class timeline {
 public:
  using duration = std::chrono::milliseconds;
  using event = std::pair<duration, std::uint64_t>;

  [[nodiscard]] duration elapsed() const { return elapsed_; }
  [[nodiscard]] runtime::clock::wall_time wall() const {
    return runtime::clock::wall_time{duration{1'795'347'903'000}} + elapsed_;  // from 2026-11-22T11:45:03Z on
  }
  event after(duration delay, std::function<void()> what) { return at(elapsed_ + delay, std::move(what)); }
  event at(duration when, std::function<void()> what) {
    const event id{std::max(when, elapsed_), next_++};
    events_.emplace(id, std::move(what));
    return id;
  }
  /// False: it has happened, or was taken back before.
  bool take_back(event id) { return events_.erase(id) != 0; }
  /// Goes to the next event and lets it happen; false: there is none.
  bool advance() {
    if (events_.empty()) return false;
    auto next = events_.extract(events_.begin());
    elapsed_ = next.key().first;
    next.mapped()();
    return true;
  }
  /// Lets everything happen that is to happen until then.
  void advance_to(duration when) {
    while (!events_.empty() && events_.begin()->first.first <= when) advance();
    elapsed_ = std::max(elapsed_, when);
  }

 private:
  duration elapsed_{0};
  std::uint64_t next_ = 0;
  std::map<event, std::function<void()>> events_;
};

/// A machine's clock in that world; its wall clock may be wrong.
class virtual_clock final : public runtime::clock {
 public:
  explicit virtual_clock(timeline& time, std::chrono::milliseconds skew = {}) : time_(time), skew_(skew) {}

  [[nodiscard]] wall_time now() const override { return time_.wall() + skew_; }
  [[nodiscard]] steady_time steady_now() const override {
    return steady_time{std::chrono::seconds{1'000}} + time_.elapsed();
  }
  task<void> sleep(std::chrono::milliseconds duration) override {
    sleeper self(*this, co_await boost::asio::this_coro::executor, duration);
    co_await self.timer.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
    if (!self.due) throw boost::system::system_error(boost::asio::error::operation_aborted);
  }
  [[nodiscard]] std::size_t sleeping() const { return sleeping_; }

 private:
  // Parked on a timer that never fires: cancelling it posts the coroutine, and whoever tears the io_context down
  // destroys the coroutine, and with it the sleeper's event.
  struct sleeper {
    sleeper(virtual_clock& owner, const boost::asio::any_io_executor& executor, std::chrono::milliseconds duration)
        : clock(owner), timer(executor, boost::asio::steady_timer::time_point::max()) {
      ++clock.sleeping_;
      wake = clock.time_.after(duration, [this] {
        due = true;
        timer.cancel();
      });
    }
    sleeper(const sleeper&) = delete;
    sleeper& operator=(const sleeper&) = delete;
    ~sleeper() {
      if (!due) clock.time_.take_back(wake);
      --clock.sleeping_;
    }
    virtual_clock& clock;
    boost::asio::steady_timer timer;
    timeline::event wake;
    bool due = false;
  };

  timeline& time_;
  std::chrono::milliseconds skew_;
  std::size_t sleeping_ = 0;
};

enum class drive_end { finished, stopped, hung };

struct drive_limits {
  std::uint64_t handlers = std::numeric_limits<std::uint64_t>::max();  ///< `stopped` after so many: a crash
  std::chrono::milliseconds time{std::chrono::hours{24 * 7}};          ///< `hung` when it takes longer
};

struct driven {
  drive_end end = drive_end::hung;
  std::uint64_t handlers = 0;
};

/// Runs until `done`, then what is ready besides. Hung: not done, nothing ready and nothing to come.
inline driven drive(boost::asio::io_context& io, timeline& time, const std::function<bool()>& done,
                    drive_limits limits = {}) {
  driven result;
  const auto latest = time.elapsed() + limits.time;
  for (;;) {
    io.restart();
    while (result.handlers < limits.handlers && io.poll_one() != 0) ++result.handlers;
    if (done()) return {drive_end::finished, result.handlers};
    if (result.handlers >= limits.handlers) return {drive_end::stopped, result.handlers};
    if (time.elapsed() > latest || !time.advance()) return result;
  }
}

}  // namespace dynabackup::fakes
