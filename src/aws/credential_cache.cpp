#include "aws/credential_cache.hpp"

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>
#include <random>
#include <utility>

#include "dynabackup/error.hpp"
#include "runtime/semaphore.hpp"

namespace dynabackup::aws {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using wall_time = runtime::clock::wall_time;

// Credentials of an hour are refreshed beside the requests in their last quarter of an hour, and waited for in the last
// 90 seconds; those that live shorter, in the same way within their own time.
constexpr milliseconds widest_early = std::chrono::minutes{15};
constexpr milliseconds widest_late = std::chrono::seconds{90};
constexpr milliseconds first_pause = std::chrono::seconds{5};
constexpr milliseconds longest_pause = std::chrono::minutes{1};
// A source that answered a refused key with the same key is not asked again at once by every request in flight.
constexpr milliseconds barren_time = std::chrono::seconds{10};

}  // namespace

struct credential_cache::state {
  state(std::unique_ptr<credential_source> s, runtime::clock& c, std::uint64_t seed)
      : source(std::move(s)), clock(c), random(seed) {}

  /// A try of our own, unless somebody else's ended while we waited for our turn.
  task<void> attempt() {
    const auto seen = tries;
    const auto mine = co_await turn.acquire();
    if (tries == seen) co_await fetch();
  }

  task<void> fetch() {
    std::optional<credentials> found;
    std::exception_ptr thrown;
    try {
      found = co_await source->fetch();
    } catch (const error&) {
      thrown = std::current_exception();
    }
    ++tries;
    failure = thrown;
    if (found) {
      take(*std::move(found));
    } else {
      postpone();
    }
  }

  void take(credentials found) {
    const auto now = clock.now();
    const bool known = held && same_keys(*held, found);
    held = std::move(found);
    renew_at = insist_at = wall_time::max();
    if (!held->expires) return;
    const milliseconds life = *held->expires - now;
    const milliseconds early = std::min(widest_early, life / 3);
    renew_at = *held->expires - early + milliseconds{static_cast<milliseconds::rep>(fraction() * 0.2 * early.count())};
    insist_at = *held->expires - std::min(widest_late, life / 10);
    if (known || life.count() <= 0) return postpone();
    pause = first_pause;
    next_try = now;
  }

  void postpone() {
    next_try = clock.now() + milliseconds{static_cast<milliseconds::rep>((0.5 + fraction() / 2) * pause.count())};
    pause = std::min(2 * pause, longest_pause);
  }

  [[nodiscard]] bool expired() const { return held->expires && clock.now() >= *held->expires; }

  [[nodiscard]] bool must_wait() const {
    if (!held) return true;
    const auto now = clock.now();
    return now >= insist_at && (now >= next_try || (failure && expired()));
  }

  [[nodiscard]] bool is_due() const {
    const auto now = clock.now();
    return !in_background && now >= renew_at && now >= next_try;
  }

  double fraction() { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

  std::unique_ptr<credential_source> source;
  runtime::clock& clock;
  std::mt19937_64 random;
  runtime::semaphore turn{1};
  std::optional<credentials> held;
  wall_time renew_at{}, insist_at{}, next_try{}, barren_until{};
  milliseconds pause = first_pause;
  std::uint64_t tries = 0;     ///< fetches that ended by themselves
  std::exception_ptr failure;  ///< of the last of them
  bool in_background = false;
  asio::cancellation_signal give_up;
};

namespace {

template <class State>
task<void> beside(std::shared_ptr<State> self) {
  co_await self->attempt();
}

}  // namespace

credential_cache::credential_cache(std::unique_ptr<credential_source> source, runtime::clock& clock, std::uint64_t seed)
    : state_(std::make_shared<state>(std::move(source), clock, seed)) {}

credential_cache::~credential_cache() = default;

task<credentials> credential_cache::current() {
  const auto s = state_;
  if (s->must_wait()) {
    co_await s->attempt();
    if (s->failure && (!s->held || s->expired())) std::rethrow_exception(s->failure);
  } else if (s->is_due()) {
    s->in_background = true;
    const auto executor = co_await asio::this_coro::executor;
    // What it meets stays in the state; its cancellation is nobody's failure.
    asio::co_spawn(executor, beside(s), asio::bind_cancellation_slot(s->give_up.slot(), [s](const std::exception_ptr&) {
                     s->in_background = false;
                   }));
  }
  co_return *s->held;
}

task<bool> credential_cache::refresh(credentials stale) {
  const auto s = state_;
  if (s->held && !same_keys(*s->held, stale)) co_return true;
  if (s->clock.now() < s->barren_until) co_return false;
  co_await s->attempt();
  if (s->held && !same_keys(*s->held, stale)) co_return true;
  if (s->failure) std::rethrow_exception(s->failure);
  s->barren_until = s->clock.now() + barren_time;
  co_return false;
}

void credential_cache::rest() {
  if (state_->in_background) state_->give_up.emit(asio::cancellation_type::terminal);
}

}  // namespace dynabackup::aws
