#include "dynabackup/byte_budget.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>

namespace dynabackup {

namespace asio = boost::asio;

struct byte_budget::ledger {
  std::size_t limit = 0;
  std::size_t used = 0;
  std::size_t waits = 0;
  std::list<waiter*> line;

  [[nodiscard]] bool fits(std::size_t bytes) const { return used == 0 || (used <= limit && bytes <= limit - used); }
  static void serve(const std::shared_ptr<ledger>& self);
};

// Parked on a timer that never fires: cancelling it posts the coroutine, and whoever tears the io_context down destroys
// the coroutine with it. The share is handed over here, so that a waiter that never collects it gives it back.
struct byte_budget::waiter {
  waiter(std::shared_ptr<ledger> owner, std::size_t wanted, const asio::any_io_executor& executor)
      : books(std::move(owner)), bytes(wanted), timer(executor, asio::steady_timer::time_point::max()) {
    place = books->line.insert(books->line.end(), this);
  }
  waiter(const waiter&) = delete;
  waiter& operator=(const waiter&) = delete;
  ~waiter() {
    if (served) return;
    books->line.erase(place);
    ledger::serve(books);  // it may have been the one that did not fit
  }

  std::shared_ptr<ledger> books;
  std::size_t bytes;
  asio::steady_timer timer;
  std::list<waiter*>::iterator place;
  charge share;
  bool served = false;
};

void byte_budget::ledger::serve(const std::shared_ptr<ledger>& self) {
  while (!self->line.empty() && self->fits(self->line.front()->bytes)) {
    waiter& next = *self->line.front();
    self->line.pop_front();
    self->used += next.bytes;
    next.share = charge(self, next.bytes);
    next.served = true;
    next.timer.cancel();
  }
}

byte_budget::charge& byte_budget::charge::operator=(charge&& other) noexcept {
  if (this != &other) {
    release();
    ledger_ = std::move(other.ledger_);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void byte_budget::charge::resize(std::size_t bytes) {
  if (!ledger_) return;
  ledger_->used = ledger_->used - bytes_ + bytes;
  const bool shrunk = bytes < bytes_;
  bytes_ = bytes;
  if (shrunk) ledger::serve(ledger_);
}

void byte_budget::charge::release() noexcept {
  const std::shared_ptr<ledger> books = std::move(ledger_);
  if (!books) return;
  books->used -= std::exchange(bytes_, 0);
  ledger::serve(books);
}

byte_budget::byte_budget(std::size_t limit_bytes) : ledger_(std::make_shared<ledger>()) {
  ledger_->limit = limit_bytes;
}

byte_budget::~byte_budget() = default;

task<byte_budget::charge> byte_budget::acquire(std::size_t bytes) {
  const std::shared_ptr<ledger> books = ledger_;
  if (books->line.empty() && books->fits(bytes)) {
    books->used += bytes;
    co_return charge(books, bytes);
  }
  ++books->waits;
  waiter self(books, bytes, co_await asio::this_coro::executor);
  co_await self.timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!self.served) throw boost::system::system_error(asio::error::operation_aborted);
  co_return std::move(self.share);
}

std::size_t byte_budget::limit() const { return ledger_->limit; }
std::size_t byte_budget::used() const { return ledger_->used; }
std::size_t byte_budget::waits() const { return ledger_->waits; }

}  // namespace dynabackup
