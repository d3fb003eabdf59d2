#include "runtime/in_flight.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <optional>
#include <stdexcept>
#include <utility>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::runtime {

namespace asio = boost::asio;

void interruption::check() const {
  if (requested) throw interrupted();
}

struct in_flight::state : std::enable_shared_from_this<state> {
  struct child {
    asio::cancellation_signal signal;
    bool ended = false;
  };

  // A child's entry among the running; its end, by whatever way, takes it off the list.
  class membership {
   public:
    explicit membership(std::shared_ptr<state> group) : group_(std::move(group)) {
      self_ = group_->children.emplace(group_->children.end());
      ++group_->running;
    }
    membership(membership&& other) noexcept : group_(std::move(other.group_)), self_(other.self_) {}
    membership& operator=(membership&&) = delete;
    ~membership() { leave(); }
    void leave() {
      if (const auto group = std::move(group_)) group->remove(self_);
    }
    [[nodiscard]] asio::cancellation_slot slot() const { return self_->signal.slot(); }
    [[nodiscard]] state& group() const { return *group_; }

   private:
    std::shared_ptr<state> group_;
    std::list<child>::iterator self_;
  };

  state(std::size_t limit, const interruption& interruption) : places(limit), stop(&interruption) {}

  void remove(std::list<child>::iterator it) {
    --running;
    it->ended = true;
    if (!emitting) children.erase(it);
  }

  void check() {
    if (failure) std::rethrow_exception(failure);
    if (stop->requested) refused = true;
    if (refused) throw interrupted();
  }

  void ended_with(const std::exception_ptr& e) {
    if (!e) return;
    try {
      std::rethrow_exception(e);
    } catch (const interrupted&) {
      refused = true;
    } catch (...) {
      fail(e);
    }
  }

  void fail(const std::exception_ptr& e) {
    if (failure) return;
    failure = e;
    // Posted: emitting may resume a child on the spot, and this may be running inside one.
    if (executor) asio::post(*executor, [self = shared_from_this()] { self->cancel_all(); });
  }

  void cancel_all() {
    emitting = true;  // a child that ends under the signal must not take the signal away
    for (child& each : children) {
      if (!each.ended) each.signal.emit(asio::cancellation_type::terminal | asio::cancellation_type::partial);
    }
    emitting = false;
    children.remove_if([](const child& each) { return each.ended; });
  }

  byte_budget places;  // one unit a child
  const interruption* stop;
  std::list<child> children;
  std::size_t running = 0;
  std::optional<asio::any_io_executor> executor;
  std::exception_ptr failure;
  bool refused = false;
  bool emitting = false;
};

in_flight::in_flight(std::size_t limit, const interruption& stop) {
  if (limit == 0) throw std::invalid_argument("a group needs at least one place");
  state_ = std::make_shared<state>(limit, stop);
}

in_flight::~in_flight() = default;

std::size_t in_flight::running() const { return state_->running; }

task<void> in_flight::start(task<void> child) {
  const std::shared_ptr<state> group = state_;
  group->check();
  byte_budget::charge place = co_await group->places.acquire(1);
  group->check();
  if (!group->executor) group->executor = co_await asio::this_coro::executor;
  state::membership member(group);
  const asio::cancellation_slot slot = member.slot();
  asio::co_spawn(*group->executor, std::move(child),
                 asio::bind_cancellation_slot(
                     slot, [member = std::move(member), place = std::move(place)](const std::exception_ptr& e) mutable {
                       member.group().ended_with(e);
                       member.leave();
                       place.release();
                     }));
}

task<void> in_flight::drain() {
  const std::shared_ptr<state> group = state_;
  const byte_budget::charge all = co_await group->places.acquire(group->places.limit());
  if (group->failure) std::rethrow_exception(group->failure);
}

task<void> in_flight::join() {
  const std::shared_ptr<state> group = state_;
  for (;;) {
    try {
      const byte_budget::charge all = co_await group->places.acquire(group->places.limit());
      co_return;
    } catch (const boost::system::system_error&) {
      group->fail(std::current_exception());
    }
  }
}

task<void> bounded(std::size_t limit, const interruption& stop, std::function<task<void>(in_flight&)> produce) {
  in_flight group(limit, stop);
  in_flight::state& state = *group.state_;
  std::exception_ptr thrown;
  try {
    co_await produce(group);
  } catch (...) {
    thrown = std::current_exception();
  }
  state.ended_with(thrown);
  // A caller that has been cancelled still waits for the children: only their end makes it safe to go on.
  const bool throwing = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  if (throwing && (co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none) {
    state.fail(std::make_exception_ptr(boost::system::system_error(asio::error::operation_aborted)));
  }
  co_await group.join();
  co_await asio::this_coro::throw_if_cancelled(throwing);
  if (state.failure) std::rethrow_exception(state.failure);
  if (state.refused) throw interrupted();
}

}  // namespace dynabackup::runtime
