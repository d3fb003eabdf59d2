// What stands between a program and aws-fake in some measurements: TLS, or the latency of a network.
//   front PORT tls CERTIFICATE KEY        takes TLS connections, passes their bytes on to PORT of 127.0.0.1
//   front PORT delay MILLISECONDS         the same without TLS, but no answer begins earlier than that
// Stdout tells the port it listens on itself: "listening on 127.0.0.1:PORT".
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fmt/format.h>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "dynabackup/task.hpp"

namespace dynabackup::bench {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using tls_stream = asio::ssl::stream<tcp::socket>;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t room = 64 * 1024;

struct options {
  tcp::endpoint behind;
  std::chrono::milliseconds delay{};
  asio::ssl::context* tls = nullptr;
};

template <class Client>
struct link {
  link(Client c, const options& o)
      : client(std::move(c)), server(client.get_executor()), timer(client.get_executor()), what(o) {}

  void close() {
    error_code ignored;
    client.lowest_layer().close(ignored);
    server.close(ignored);
    timer.cancel();
  }

  Client client;
  tcp::socket server;
  asio::steady_timer timer;
  options what;
  bool asked = false;  ///< something went to the server since its last answer began
};

template <class Client>
task<void> pass_answers(std::shared_ptr<link<Client>> l) {
  std::vector<char> bytes(room);
  for (;;) {
    const auto [failure, count] = co_await l->server.async_read_some(asio::buffer(bytes), as_result);
    if (failure) break;
    if (std::exchange(l->asked, false) && l->what.delay.count() > 0) {
      l->timer.expires_after(l->what.delay);
      co_await l->timer.async_wait(as_result);
    }
    const auto [broken, written] = co_await asio::async_write(l->client, asio::buffer(bytes.data(), count), as_result);
    if (broken) break;
  }
  l->close();
}

template <class Client>
task<void> pass_requests(std::shared_ptr<link<Client>> l) {
  std::vector<char> bytes(room);
  for (;;) {
    const auto [failure, count] = co_await l->client.async_read_some(asio::buffer(bytes), as_result);
    if (failure) break;
    l->asked = true;
    const auto [broken, written] = co_await asio::async_write(l->server, asio::buffer(bytes.data(), count), as_result);
    if (broken) break;
  }
  l->close();
}

template <class Client>
task<void> serve(Client client, options what) {
  const auto l = std::make_shared<link<Client>>(std::move(client), what);
  error_code ignored;
  l->client.lowest_layer().set_option(tcp::no_delay(true), ignored);
  if constexpr (std::is_same_v<Client, tls_stream>) {
    const auto [refused] = co_await l->client.async_handshake(asio::ssl::stream_base::server, as_result);
    if (refused) co_return;
  }
  const auto [failure] = co_await l->server.async_connect(what.behind, as_result);
  if (failure) co_return;
  l->server.set_option(tcp::no_delay(true), ignored);
  asio::co_spawn(l->timer.get_executor(), pass_answers(l), asio::detached);
  co_await pass_requests(l);
}

task<void> accept(std::shared_ptr<tcp::acceptor> from, options what) {
  for (;;) {
    tcp::socket client = co_await from->async_accept(asio::use_awaitable);
    const auto executor = from->get_executor();
    if (what.tls != nullptr)
      asio::co_spawn(executor, serve(tls_stream(std::move(client), *what.tls), what), asio::detached);
    else
      asio::co_spawn(executor, serve(std::move(client), what), asio::detached);
  }
}

void run(const std::vector<std::string>& arguments) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  options what;
  what.behind = {asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(std::stoul(arguments.at(0)))};
  if (arguments.at(1) == "tls") {
    tls.use_certificate_chain_file(arguments.at(2));
    tls.use_private_key_file(arguments.at(3), asio::ssl::context::pem);
    what.tls = &tls;
  } else {
    what.delay = std::chrono::milliseconds(std::stoul(arguments.at(2)));
  }
  asio::io_context context(1);
  const auto acceptor = std::make_shared<tcp::acceptor>(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  asio::co_spawn(context, accept(acceptor, what), [](std::exception_ptr failure) {
    if (failure) std::rethrow_exception(failure);
  });
  fmt::print("listening on 127.0.0.1:{}\n", acceptor->local_endpoint().port());
  std::fflush(stdout);
  context.run();
}

}  // namespace
}  // namespace dynabackup::bench

int main(int count, char** arguments) {
  if (count < 4) {
    fmt::print(stderr, "usage: front PORT tls CERTIFICATE KEY\n       front PORT delay MILLISECONDS\n");
    return 2;
  }
  try {
    dynabackup::bench::run({arguments + 1, arguments + count});
    return 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "front: {}\n", problem.what());
    return 1;
  }
}
