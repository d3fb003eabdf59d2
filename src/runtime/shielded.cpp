#include "runtime/shielded.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace dynabackup::runtime {

task<void> shielded(task<void> work, std::chrono::milliseconds limit) {
  using namespace boost::asio::experimental::awaitable_operators;
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, limit);
  co_await (std::move(work) || timer.async_wait(boost::asio::use_awaitable));
}

}  // namespace dynabackup::runtime
