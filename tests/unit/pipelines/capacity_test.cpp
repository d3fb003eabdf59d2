#include "pipelines/capacity.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"

using namespace std::chrono_literals;
using namespace dynabackup;

namespace {

/// Sleeps end in a cancellation where the test says so.
class cancelled_clock final : public runtime::clock {
 public:
  fakes::fake_clock time;
  bool cancels = true;
  [[nodiscard]] wall_time now() const override { return time.now(); }
  [[nodiscard]] steady_time steady_now() const override { return time.steady_now(); }
  task<void> sleep(std::chrono::milliseconds duration) override {
    if (cancels) throw boost::system::system_error(boost::asio::error::operation_aborted);
    co_await time.sleep(duration);
  }
};

}  // namespace

TEST_CASE("what was not waited for is not owed") {
  cancelled_clock clock;
  pipelines::capacity units(clock, 10);
  for (int run = 0; run < 5; ++run) CHECK_THROWS_AS(fakes::run_task(units.take(1000)), boost::system::system_error);
  clock.cancels = false;
  fakes::run_task(units.take(20));
  CHECK(clock.time.slept() == 2s);
}
