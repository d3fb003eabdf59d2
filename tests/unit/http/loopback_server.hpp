// A server on 127.0.0.1 that does to each connection what the test says, on threads of its own and with blocking calls,
// so that it shares nothing with the client under test.
#pragma once
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <thread>
#include <utility>
#include <vector>

#include "dynabackup/http.hpp"

namespace dynabackup::fakes {

/// The server's side of one connection. Failing calls end quietly: it is the client that is tested.
class peer {
 public:
  using tcp = boost::asio::ip::tcp;
  peer(tcp::socket socket, int number) : number(number), socket_(std::move(socket)) {}

  bool handshake(boost::asio::ssl::context& context) {
    tls_.emplace(socket_, context);
    boost::system::error_code failure;
    tls_->handshake(boost::asio::ssl::stream_base::server, failure);
    return !failure;
  }
  /// Head and body of the next request, or "" when the client closed.
  std::string request() {
    std::size_t head = std::string::npos;
    while ((head = input_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return {};
    }
    std::size_t size = head + 4;
    if (const auto at = input_.find("Content-Length: "); at < head) {
      size += std::strtoull(input_.c_str() + at + 16, nullptr, 10);
    }
    while (input_.size() < size) {
      if (!more()) return {};
    }
    std::string whole = input_.substr(0, size);
    input_.erase(0, size);
    return whole;
  }
  /// Only the head of the next request.
  void head() {
    while (input_.find("\r\n\r\n") == std::string::npos && more()) {
    }
  }
  void send(std::string_view bytes) {
    boost::system::error_code ignored;
    const auto buffer = boost::asio::buffer(bytes);
    if (tls_) {
      boost::asio::write(*tls_, buffer, ignored);
    } else {
      boost::asio::write(socket_, buffer, ignored);
    }
  }
  void drip(std::string_view bytes) {
    for (const char& c : bytes) send({&c, 1});
  }
  void answer(std::string_view body, std::string_view status = "200 OK") {
    send("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         std::string(body));
  }
  std::string cipher() { return SSL_get_cipher_name(tls_->native_handle()); }
  void close_notify() {
    boost::system::error_code ignored;
    if (tls_) tls_->shutdown(ignored);
  }
  void reset() {
    boost::system::error_code ignored;
    socket_.set_option(boost::asio::socket_base::linger(true, 0), ignored);
    close();
  }
  void close() {
    const std::scoped_lock lock(closing_);
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  /// From another thread: whatever the peer waits for ends.
  void hang_up() {
    const std::scoped_lock lock(closing_);
    if (socket_.is_open()) ::shutdown(socket_.native_handle(), SHUT_RDWR);
  }
  /// Until something, anything, has come.
  void listen() { more(); }
  /// Until the client closes.
  void wait() {
    while (more()) {
    }
  }

  const int number;  ///< of the connection, from 0

 private:
  bool more() {
    char bytes[65536];
    boost::system::error_code failure;
    const auto buffer = boost::asio::buffer(bytes);
    const std::size_t n = tls_ ? tls_->read_some(buffer, failure) : socket_.read_some(buffer, failure);
    input_.append(bytes, n);
    return !failure;
  }
  std::mutex closing_;
  tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<tcp::socket&>> tls_;
  std::string input_;
};

class loopback_server {
 public:
  using tcp = boost::asio::ip::tcp;
  explicit loopback_server(std::function<void(peer&)> serve, boost::asio::ssl::context* tls = nullptr)
      : serve_(std::move(serve)), tls_(tls), acceptor_(io_, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    port_ = acceptor_.local_endpoint().port();
    accepting_ = std::jthread([this] { accept(); });
  }
  /// Hangs up on whoever is still connected.
  ~loopback_server() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    accepting_.join();
    for (const auto& client : clients_) client->hang_up();
  }
  loopback_server(const loopback_server&) = delete;
  loopback_server& operator=(const loopback_server&) = delete;

  [[nodiscard]] origin at(std::string host = "127.0.0.1") const { return {tls_ != nullptr, std::move(host), port_}; }
  [[nodiscard]] int connections() const { return accepted_; }

 private:
  void accept() {
    for (;;) {
      boost::system::error_code failure;
      tcp::socket socket = acceptor_.accept(failure);
      if (failure) return;
      peer& client = *clients_.emplace_back(std::make_unique<peer>(std::move(socket), accepted_++));
      serving_.emplace_back([this, &client] {
        if (tls_ == nullptr || client.handshake(*tls_)) serve_(client);
        client.close();
      });
    }
  }

  std::function<void(peer&)> serve_;
  boost::asio::ssl::context* tls_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::atomic<int> accepted_ = 0;
  std::vector<std::unique_ptr<peer>> clients_;
  std::vector<std::jthread> serving_;
  std::jthread accepting_;
};

}  // namespace dynabackup::fakes
