#include "http/name_cache.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

struct name_cache::entry {
  addresses found;
  error_code failure;
  time_point looked_up;
  bool pending = false;
  std::size_t turn = 0;
  std::list<asio::steady_timer*> waiting;

  addresses rotated() {
    addresses all = found;
    std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(turn++ % all.size()), all.end());
    return all;
  }
  void settle() {
    pending = false;
    for (asio::steady_timer* timer : waiting) timer->cancel();
  }
};

// The lookup's completion handler. Destroyed unheard (an io_context torn down), it leaves nobody believing in it.
class name_cache::answer {
 public:
  explicit answer(std::shared_ptr<entry> about, const asio::any_io_executor& executor)
      : about_(std::move(about)), resolver_(std::make_unique<tcp::resolver>(executor)) {
    about_->pending = true;
  }
  answer(answer&&) = default;
  answer& operator=(answer&&) = delete;
  ~answer() {
    if (about_) about_->settle();
  }
  [[nodiscard]] tcp::resolver& resolver() const { return *resolver_; }

  void operator()(const error_code& failure, const tcp::resolver::results_type& results) {
    about_->failure = failure;
    about_->found.clear();
    for (const auto& result : results) about_->found.push_back(result.endpoint().address());
    about_->looked_up = std::chrono::steady_clock::now();
    std::exchange(about_, nullptr)->settle();
  }

 private:
  std::shared_ptr<entry> about_;
  std::unique_ptr<tcp::resolver> resolver_;
};

namespace {

// Keeps a waiting timer on the list for as long as its coroutine is there to be woken.
class queued {
 public:
  queued(std::list<asio::steady_timer*>& list, asio::steady_timer& timer)
      : list_(list), place_(list.insert(list.end(), &timer)) {}
  queued(const queued&) = delete;
  queued& operator=(const queued&) = delete;
  ~queued() { list_.erase(place_); }

 private:
  std::list<asio::steady_timer*>& list_;
  std::list<asio::steady_timer*>::iterator place_;
};

transport_error lookup_failed(const origin& where, const std::string& why) {
  return {where.text(), transport_error::stage::before_send, "cannot find the address of " + where.host + ": " + why};
}

}  // namespace

/// The turn is kept: the next lookup begins with another address than the one that did not answer.
void name_cache::forget(const std::string& host) {
  const auto known = entries_.find(host);
  if (known != entries_.end()) known->second->looked_up = {};
}

task<name_cache::addresses> name_cache::lookup(origin where, time_point until) {
  error_code not_an_address;
  if (const auto literal = asio::ip::make_address(where.host, not_an_address); !not_an_address) {
    co_return addresses{literal};
  }
  std::shared_ptr<entry>& slot = entries_[where.host];
  if (!slot) slot = std::make_shared<entry>();
  const std::shared_ptr<entry> known = slot;
  if (!known->found.empty() && std::chrono::steady_clock::now() - known->looked_up < lifetime_) {
    co_return known->rotated();
  }
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  if (!known->pending) {
    answer handler(known, executor);
    tcp::resolver& resolver = handler.resolver();
    resolver.async_resolve(where.host, std::to_string(where.port), std::move(handler));
  }
  asio::steady_timer timer(executor, until);
  const queued place(known->waiting, timer);
  const auto waited = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
  if (known->pending) {
    if (std::get<0>(waited)) throw boost::system::system_error(asio::error::operation_aborted);
    throw lookup_failed(where, "the name service did not answer in time");
  }
  if (known->failure) throw lookup_failed(where, known->failure.message());
  if (known->found.empty()) throw lookup_failed(where, "no address was found");
  co_return known->rotated();
}

}  // namespace dynabackup::http
