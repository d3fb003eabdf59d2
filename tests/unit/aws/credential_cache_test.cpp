#include "aws/credential_cache.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using namespace std::chrono_literals;

namespace {

namespace asio = boost::asio;

/// Hands out key1, key2, … that live for `life`; slow, so that others can ask meanwhile.
class numbered_source final : public credential_source {
 public:
  explicit numbered_source(fakes::fake_clock& clock) : clock_(clock) {}
  task<credentials> fetch() override {
    ++fetches;
    ++running;
    most_running = std::max(most_running, running);
    const auto executor = co_await asio::this_coro::executor;
    if (blocks) {
      asio::steady_timer never(executor, asio::steady_timer::time_point::max());
      co_await never.async_wait(asio::use_awaitable);
    }
    for (int i = 0; i < 3; ++i) co_await asio::post(executor, asio::use_awaitable);
    --running;
    if (fails) throw usage_error("the source is closed");
    if (!repeats) ++number;
    credentials out{"key" + std::to_string(number), "secret", "token", std::nullopt, "test"};
    if (life) out.expires = std::chrono::floor<std::chrono::seconds>(clock_.wall + *life);
    co_return out;
  }
  int fetches = 0, number = 0, running = 0, most_running = 0;
  bool fails = false, repeats = false, blocks = false;
  std::optional<std::chrono::milliseconds> life = 1h;

 private:
  fakes::fake_clock& clock_;
};

struct setup {
  fakes::fake_clock clock;
  numbered_source* source = new numbered_source(clock);
  credential_cache cache{std::unique_ptr<credential_source>(source), clock, 7};
  asio::io_context io{1};

  std::string key() { return fakes::run_task(io, cache.current()).access_key_id; }
  bool refresh(const credentials& stale) { return fakes::run_task(io, cache.refresh(stale)); }
  void pass(std::chrono::milliseconds time) { clock.wall += time; }
};

credentials named(const std::string& key) { return {key, "secret", "token", std::nullopt, "test"}; }

}  // namespace

TEST_CASE("one fetch serves all who ask at the same time") {
  setup s;
  std::vector<std::string> got;
  for (int i = 0; i < 50; ++i)
    asio::co_spawn(s.io, s.cache.current(),
                   [&](std::exception_ptr e, credentials c) { got.push_back(e ? "failed" : c.access_key_id); });
  s.io.run();
  CHECK(got == std::vector<std::string>(50, "key1"));
  CHECK(s.source->fetches == 1);
}

TEST_CASE("one failed fetch fails all who waited for it, and the next call tries again") {
  setup s;
  s.source->fails = true;
  int failed = 0;
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(s.io, s.cache.current(), [&](std::exception_ptr e, const credentials&) { failed += e ? 1 : 0; });
  s.io.run();
  CHECK(failed == 20);
  CHECK(s.source->fetches == 1);
  CHECK_THROWS_WITH_AS(s.key(), "the source is closed", usage_error);
  s.source->fails = false;
  CHECK(s.key() == "key1");
}

TEST_CASE("credentials without an expiry are kept for good") {
  setup s;
  s.source->life.reset();
  CHECK(s.key() == "key1");
  s.pass(24h * 365);
  CHECK(s.key() == "key1");
  CHECK(s.source->fetches == 1);
}

TEST_CASE("a refresh runs beside the requests before the credentials expire") {
  setup s;
  CHECK(s.key() == "key1");
  s.pass(44min);
  CHECK(s.key() == "key1");
  CHECK(s.source->fetches == 1);
  s.pass(5min);  // within the last quarter of an hour, whatever the jitter
  std::vector<std::string> got;
  for (int i = 0; i < 10; ++i)
    asio::co_spawn(s.io, s.cache.current(),
                   [&](std::exception_ptr, const credentials& c) { got.push_back(c.access_key_id); });
  s.io.restart();
  s.io.run();
  CHECK_MESSAGE(got == std::vector<std::string>(10, "key1"), "nobody waited");
  CHECK(s.source->fetches == 2);
  CHECK(s.key() == "key2");
}

TEST_CASE("in the last moments a caller waits for the refresh, together with all others") {
  setup s;
  CHECK(s.key() == "key1");
  s.pass(59min);
  std::vector<std::string> got;
  for (int i = 0; i < 10; ++i)
    asio::co_spawn(s.io, s.cache.current(),
                   [&](std::exception_ptr, const credentials& c) { got.push_back(c.access_key_id); });
  s.io.restart();
  s.io.run();
  CHECK(got == std::vector<std::string>(10, "key2"));
  CHECK(s.source->fetches == 2);
}

TEST_CASE("a failed refresh keeps the old credentials while they are valid, and pauses between its tries") {
  setup s;
  CHECK(s.key() == "key1");
  s.source->fails = true;
  s.pass(50min);
  for (int i = 0; i < 100; ++i) CHECK(s.key() == "key1");
  CHECK(s.source->fetches == 2);
  for (int second = 0; second < 9 * 60; ++second) {
    s.pass(1s);
    CHECK(s.key() == "key1");
  }
  CHECK(s.source->fetches >= 8);
  CHECK(s.source->fetches <= 30);
  s.source->fails = false;
  s.pass(1min + 1s);
  CHECK(s.key() == "key2");
}

TEST_CASE("with the old credentials expired, what keeps a source from giving others is told") {
  setup s;
  CHECK(s.key() == "key1");
  s.source->fails = true;
  s.pass(61min);
  CHECK_THROWS_WITH_AS(s.key(), "the source is closed", usage_error);
  CHECK_THROWS_AS(s.key(), usage_error);
  s.source->fails = false;
  CHECK(s.key() == "key2");
}

TEST_CASE("a run of a day on credentials of any life sees none that has expired, and asks seldom") {
  for (const auto life : {15min, 60min, 720min}) {
    CAPTURE(life.count());
    setup s;
    s.source->life = life;
    int stale = 0;
    for (int second = 0; second < 24 * 3600; second += 7) {
      s.pass(7s);
      const auto now = fakes::run_task(s.io, s.cache.current());
      if (*now.expires <= s.clock.wall) ++stale;
    }
    CHECK(stale == 0);
    CHECK(s.source->fetches <= 24 * 60 / (life.count() * 0.6) + 2);
    CHECK(s.source->fetches >= 24 * 60 / life.count());
  }
}

TEST_CASE("a source that gives what it gave before is not pressed") {
  setup s;
  s.source->life = 12min;
  CHECK(s.key() == "key1");
  s.source->repeats = true;
  s.source->life = 0min;
  s.pass(11min + 55s);
  for (int i = 0; i < 50; ++i) CHECK(s.key() == "key1");
  CHECK(s.source->fetches == 2);
}

TEST_CASE("a refused key is refreshed once, however many requests it was refused to") {
  setup s;
  CHECK(s.key() == "key1");
  std::vector<bool> renewed;
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(s.io, s.cache.refresh(named("key1")), [&](std::exception_ptr, bool r) { renewed.push_back(r); });
  s.io.restart();
  s.io.run();
  CHECK(renewed == std::vector<bool>(20, true));
  CHECK(s.source->fetches == 2);
  CHECK_MESSAGE(s.refresh(named("key1")), "the old one is replaced already");
  CHECK(s.source->fetches == 2);
}

TEST_CASE("a source that has no other key says so and is left alone for a while") {
  setup s;
  CHECK(s.key() == "key1");
  s.source->repeats = true;
  CHECK_FALSE(s.refresh(named("key1")));
  CHECK_FALSE(s.refresh(named("key1")));
  CHECK(s.source->fetches == 2);
  s.source->repeats = false;
  s.pass(11s);
  CHECK(s.refresh(named("key1")));
  CHECK(s.key() == "key2");
}

TEST_CASE("what keeps a forced refresh from happening is told") {
  setup s;
  CHECK(s.key() == "key1");
  s.source->fails = true;
  CHECK_THROWS_WITH_AS(s.refresh(named("key1")), "the source is closed", usage_error);
}

TEST_CASE("a refresh under way does not outlive the run") {
  setup s;
  CHECK(s.key() == "key1");
  s.pass(50min);
  s.source->blocks = true;
  asio::co_spawn(
      s.io,
      [](setup& t) -> task<void> {
        CHECK((co_await t.cache.current()).access_key_id == "key1");
        for (int i = 0; i < 5; ++i) co_await asio::post(t.io, asio::use_awaitable);
        CHECK(t.source->running == 1);
        t.cache.rest();
      }(s),
      asio::detached);
  s.io.restart();
  s.io.run();  // would not come back
  s.source->blocks = false;
  CHECK(s.key() == "key1");
  CHECK_MESSAGE(s.key() == "key2", "the next call started it again");
}

TEST_CASE("a caller that is cancelled takes nobody with it") {
  setup s;
  asio::cancellation_signal stop;
  bool cancelled = false;
  std::string other;
  asio::co_spawn(s.io, s.cache.current(),
                 asio::bind_cancellation_slot(
                     stop.slot(), [&](std::exception_ptr e, const credentials&) { cancelled = e != nullptr; }));
  asio::co_spawn(s.io, s.cache.current(), [&](std::exception_ptr, const credentials& c) { other = c.access_key_id; });
  s.source->blocks = true;
  s.io.poll();
  s.source->blocks = false;
  stop.emit(asio::cancellation_type::terminal);
  s.io.run();
  CHECK(cancelled);
  CHECK(other == "key1");
}
