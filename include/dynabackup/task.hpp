// The one coroutine type of the library, named once. Single threaded: a task runs on the executor it was spawned on.
#pragma once
#include <boost/asio/awaitable.hpp>

namespace dynabackup {

/// A lazily started coroutine. Awaiting it runs it; destroying it unstarted is harmless.
template <class T = void>
using task = boost::asio::awaitable<T>;

}  // namespace dynabackup
