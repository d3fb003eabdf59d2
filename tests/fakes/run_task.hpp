// Runs one coroutine to its end in a test and hands back its value or exception.
#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "dynabackup/task.hpp"

namespace dynabackup::fakes {

/// The io_context is run until nothing is left to do, so that a forgotten timer or child shows as a hang, not as a
/// pass.
template <class T>
T run_task(boost::asio::io_context& io, task<T> work) {
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    bool done = false;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr e) { failure = e, done = true; });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    if (!done) throw std::logic_error("the task never ended");
  } else {
    std::optional<T> value;
    boost::asio::co_spawn(io, std::move(work), [&](std::exception_ptr e, T v) {
      failure = e;
      if (!e) value.emplace(std::move(v));
    });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    if (!value) throw std::logic_error("the task never ended");
    return std::move(*value);
  }
}

template <class T>
T run_task(task<T> work) {
  boost::asio::io_context io{1};
  return run_task(io, std::move(work));
}

}  // namespace dynabackup::fakes
