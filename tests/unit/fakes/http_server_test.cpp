#include "fakes/server/http_server.hpp"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <doctest/doctest.h>
#include <memory>
#include <thread>

namespace dynabackup::fakes {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

const std::string close_after = "Connection: close\r\n\r\n";

/// A server on a thread of its own; it answers with the method, the target and the body it got.
class echo_server {
 public:
  explicit echo_server(std::optional<fault> met = std::nullopt, request_reader::limits limits = {})
      : met_(met),
        server_(context_, 0, limits,
                {.handle = [this](const request& r) { return answer(r); },
                 .fault_for = [this](const request&) { return met_; },
                 .stand_in = [](const fault& f, const request& r) { return socket_faults(1, 1).stand_in(f, r); }}),
        port(server_.port()),
        thread_([this] { context_.run(); }) {}
  ~echo_server() {
    asio::post(context_, [this] { server_.stop(); });
    thread_.join();
  }

 private:
  response answer(const request& r) {
    ++handled;
    response result;
    result.status = 200;
    result.headers = {{"x-fake", "yes"}};
    result.body = r.method + " " + r.target + " " + r.body;
    return result;
  }

  asio::io_context context_{1};
  std::optional<fault> met_;
  http_server server_;

 public:
  const std::uint16_t port;
  std::atomic<int> handled = 0;

 private:
  std::thread thread_;
};

/// What comes back for `bytes` until the server closes; `failure` says how it ended.
std::string talk(std::uint16_t port, const std::string& bytes, boost::system::error_code* failure = nullptr) {
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code end;
  asio::write(socket, asio::buffer(bytes), end);
  std::string answer;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  if (failure != nullptr) *failure = end;
  return answer;
}

std::string talk_under(fault_kind kind, int* handled, boost::system::error_code* failure = nullptr) {
  echo_server server(fault{.kind = kind, .chance = 40, .delay = std::chrono::milliseconds(1)});
  std::string answer = talk(server.port, "GET /a HTTP/1.1\r\n" + close_after, failure);
  *handled = server.handled;
  return answer;
}

const std::string whole_answer =
    "HTTP/1.1 200 OK\r\nx-fake: yes\r\nContent-Length: 7\r\nConnection: close\r\n\r\nGET /a ";

TEST_CASE("a connection serves one request after another, also when they come at once") {
  echo_server server;
  const std::string first = "PUT /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nab";
  const std::string answers = talk(server.port, first + first + "GET /a HTTP/1.1\r\n" + close_after);
  const std::string one = "HTTP/1.1 200 OK\r\nx-fake: yes\r\nContent-Length: 9\r\n\r\nPUT /1 ab";
  CHECK(answers == one + one + whole_answer);
  CHECK(server.handled == 3);
}

TEST_CASE("a large body goes in and comes back whole") {
  echo_server server;
  const std::string body(3'000'000, 'b');
  const std::string answer = talk(server.port, "PUT / HTTP/1.1\r\nContent-Length: 3000000\r\n" + close_after + body);
  CHECK(answer.ends_with("PUT / " + body));
}

TEST_CASE("a refused request is answered with its status and ends the connection") {
  echo_server server(std::nullopt, {.head_bytes = 1000, .body_bytes = 10});
  CHECK(talk(server.port, "nonsense\r\n\r\n").starts_with("HTTP/1.1 400 "));
  CHECK(talk(server.port, "PUT / HTTP/1.1\r\nContent-Length: 11\r\n\r\n").starts_with("HTTP/1.1 413 "));
  CHECK(talk(server.port, "GET /" + std::string(2000, 'x')).starts_with("HTTP/1.1 431 "));
  CHECK(server.handled == 0);
}

TEST_CASE("a client that waits for 100-continue gets it before it sends the body") {
  echo_server server;
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), server.port});
  asio::write(socket, asio::buffer("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n" + close_after));
  std::string answer;
  const std::size_t interim = asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n");
  CHECK(answer.substr(0, interim) == "HTTP/1.1 100 Continue\r\n\r\n");
  asio::write(socket, asio::buffer("ab", 2));
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  CHECK(answer.ends_with("PUT / ab"));
}

TEST_CASE("faults before the effect: the service never sees the request") {
  int handled = 0;
  boost::system::error_code end;
  CHECK(talk_under(fault_kind::closed_before, &handled, &end).empty());
  CHECK(handled == 0);
  CHECK(end == asio::error::eof);
  CHECK(talk_under(fault_kind::reset, &handled, &end).empty());
  CHECK(end == asio::error::connection_reset);
  CHECK(talk_under(fault_kind::error_html, &handled).starts_with("HTTP/1.1 500 "));
  CHECK(talk_under(fault_kind::throttled, &handled).starts_with("HTTP/1.1 503 "));
  CHECK(handled == 0);
}

TEST_CASE("faults after the effect: the service has done it, the client hears part of it, late, or nothing") {
  int handled = 0;
  CHECK(talk_under(fault_kind::lost_answer, &handled).empty());
  CHECK(handled == 1);
  const std::string cut_head = talk_under(fault_kind::cut_head, &handled);
  CHECK(whole_answer.starts_with(cut_head));
  CHECK(cut_head.find("\r\n\r\n") == std::string::npos);
  const std::string cut_body = talk_under(fault_kind::cut_body, &handled);
  CHECK(cut_body.find("\r\n\r\n") != std::string::npos);
  CHECK(cut_body.size() < whole_answer.size());
  CHECK(whole_answer.starts_with(cut_body));
  const std::string flipped = talk_under(fault_kind::flipped_byte, &handled);
  CHECK(flipped.size() == whole_answer.size());
  CHECK(flipped != whole_answer);
  for (const fault_kind kind : {fault_kind::slow_drip, fault_kind::late, fault_kind::closed_after}) {
    CHECK(talk_under(kind, &handled) == whole_answer);
    CHECK(handled == 1);
  }
}

TEST_CASE("late_effect: the client hears nothing, and the service does it later") {
  echo_server server(fault{.kind = fault_kind::late_effect, .delay = std::chrono::milliseconds(200)});
  boost::system::error_code end;
  CHECK(talk(server.port, "GET /a HTTP/1.1\r\n" + close_after, &end).empty());
  CHECK(end == asio::error::eof);
  CHECK(server.handled == 0);
  for (int waits = 0; waits < 1000 && server.handled == 0; ++waits)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(server.handled == 1);
}

TEST_CASE("what is to take effect when the server has stopped does not") {
  auto server = std::make_unique<echo_server>(fault{.kind = fault_kind::late_effect, .delay = std::chrono::hours(1)});
  CHECK(talk(server->port, "GET /a HTTP/1.1\r\n" + close_after).empty());
  const auto begun = std::chrono::steady_clock::now();
  server.reset();
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::minutes(1));
}

TEST_CASE("refused: the connection is reset, the next ones are refused, and then there is somebody again") {
  echo_server server(fault{.kind = fault_kind::refused, .delay = std::chrono::milliseconds(200)});
  boost::system::error_code end;
  CHECK(talk(server.port, "GET /a HTTP/1.1\r\n" + close_after, &end).empty());
  CHECK(end == asio::error::connection_reset);
  CHECK(server.handled == 0);
  const auto connect = [&server] {
    asio::io_context context;
    tcp::socket socket(context);
    boost::system::error_code failure;
    socket.connect({asio::ip::address_v4::loopback(), server.port}, failure);
    return failure;
  };
  CHECK(connect() == asio::error::connection_refused);
  for (int waits = 0; waits < 1000 && connect(); ++waits) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK_FALSE(connect());
}

TEST_CASE("closed_after closes a connection that the client would have kept") {
  echo_server server(fault{.kind = fault_kind::closed_after});
  CHECK(talk(server.port, "GET /a HTTP/1.1\r\n\r\n") ==
        "HTTP/1.1 200 OK\r\nx-fake: yes\r\nContent-Length: 7\r\n\r\nGET /a ");
}

TEST_CASE("a server that stops closes the connections it has") {
  auto server = std::make_unique<echo_server>();
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect({asio::ip::address_v4::loopback(), server->port});
  asio::write(socket, asio::buffer("GET /a HTTP/1.1\r\n\r\n", 19));
  std::string answer;
  asio::read_until(socket, asio::dynamic_buffer(answer), "GET /a ");
  server.reset();
  boost::system::error_code end;
  asio::read(socket, asio::dynamic_buffer(answer), end);
  CHECK(end == asio::error::eof);
}

}  // namespace
}  // namespace dynabackup::fakes
