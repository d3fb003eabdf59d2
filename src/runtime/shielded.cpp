#include "runtime/shielded.hpp"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/this_coro.hpp>

namespace dynabackup::runtime {

task<void> shielded(task<void> work) {
  co_await boost::asio::this_coro::reset_cancellation_state(boost::asio::disable_cancellation());
  co_await std::move(work);
}

}  // namespace dynabackup::runtime
