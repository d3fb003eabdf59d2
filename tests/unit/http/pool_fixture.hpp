// A client under test: a pool, an io_context, and short cuts for what every case does with them.
#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <utility>

#include "dynabackup/error.hpp"
#include "fakes/run_task.hpp"
#include "http/connection_pool.hpp"
#include "unit/http/loopback_server.hpp"

namespace dynabackup::fakes {

struct client {
  explicit client(http::pool_settings settings = {}) : pool(std::move(settings)) {}

  static request get(const origin& to, std::string target = "/") {
    request r{.method = "GET", .to = to, .target = std::move(target), .headers = {}, .body = {}};
    r.attempt_timeout = std::chrono::seconds(10);
    return r;
  }
  static request put(const origin& to, std::string body) {
    request r = get(to);
    r.method = "PUT";
    r.body = std::move(body);
    return r;
  }
  response send(request r) { return run_task(io, pool.send(r)); }
  /// The transport_error that sending ends with.
  std::optional<transport_error> failure(request r) {
    try {
      run_task(io, pool.send(r));
    } catch (const transport_error& e) {
      return e;
    }
    return std::nullopt;
  }
  /// Sends, cancels after `delay`, and says whether operation_aborted came of it.
  bool aborted(request r, std::chrono::milliseconds delay) {
    boost::asio::cancellation_signal signal;
    std::exception_ptr end;
    bool done = false;
    boost::asio::co_spawn(io, pool.send(r),
                          boost::asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr e, response) {
                            end = std::move(e);
                            done = true;
                          }));
    io.restart();
    io.run_for(delay);
    REQUIRE(!done);
    signal.emit(boost::asio::cancellation_type::terminal);
    io.run();
    REQUIRE(done);
    if (!end) return false;
    try {
      std::rethrow_exception(end);
    } catch (const boost::system::system_error& e) {
      return e.code() == boost::asio::error::operation_aborted;
    } catch (const std::exception&) {
      return false;
    }
  }

  boost::asio::io_context io{1};
  http::connection_pool pool;
};

inline bool says(const std::optional<transport_error>& e, std::string_view text) {
  if (!e) return false;
  const bool found = std::string_view(e->what()).find(text) != std::string_view::npos;
  if (!found) MESSAGE(std::string(e->what()));
  return found;
}

}  // namespace dynabackup::fakes
