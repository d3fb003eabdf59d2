#include "http/connection_pool.hpp"

#include <doctest/doctest.h>
#include <future>
#include <memory>
#include <netinet/tcp.h>
#include <string>
#include <thread>

#include "unit/http/pool_fixture.hpp"

using namespace std::chrono_literals;
using namespace dynabackup;
using fakes::client;
using fakes::loopback_server;
using fakes::peer;
using fakes::says;
using stage = transport_error::stage;

namespace {

void answer_always(peer& p) {
  while (!p.request().empty()) p.answer("hello");
}

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>('a' + (i * 7 + i / 4'096) % 26);
  return text;
}

}  // namespace

TEST_CASE("connections are kept and used again") {
  loopback_server server([](peer& p) {
    for (std::string r; !(r = p.request()).empty();) p.answer(r);
  });
  client c;
  request r = client::get(server.at(), "/x?y=z");
  r.headers = {{"X-A", "1"}};
  const std::string host = "127.0.0.1:" + std::to_string(server.at().port);
  CHECK(c.send(r).body == "GET /x?y=z HTTP/1.1\r\nHost: " + host + "\r\nX-A: 1\r\n\r\n");
  CHECK(c.send(client::put(server.at(), "abc")).body ==
        "PUT / HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 3\r\n\r\nabc");
  const response last = c.send(client::get(server.at()));
  CHECK(last.status == 200);
  CHECK(last.body.capacity() >= last.body.size() + response::body_padding);
  CHECK(c.pool.dials() == 1);
  CHECK(server.connections() == 1);
}

TEST_CASE("each origin has connections of its own") {
  loopback_server one(answer_always);
  loopback_server two(answer_always);
  client c;
  for (int i = 0; i < 3; ++i) {
    CHECK(c.send(client::get(one.at())).body == "hello");
    CHECK(c.send(client::get(two.at())).body == "hello");
  }
  CHECK(one.connections() == 1);
  CHECK(two.connections() == 1);
}

TEST_CASE("a name is looked up") {
  loopback_server server(answer_always);
  client c;
  CHECK(c.send(client::get(server.at("localhost"))).body == "hello");
  CHECK(c.send(client::get(server.at("localhost"))).body == "hello");
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("a name that cannot be found is a transport_error before anything was sent") {
  client c;
  const auto e = c.failure(client::get({false, std::string(64, 'a') + ".example", 80}));
  CHECK(says(e, "cannot find the address of aaa"));
  REQUIRE(e);
  CHECK(e->where == stage::before_send);
  CHECK(e->retryable);
}

TEST_CASE("a refused connection names the origin and the reason") {
  origin nobody{false, "127.0.0.1", 0};
  {
    const loopback_server gone(answer_always);
    nobody = gone.at();
  }
  client c;
  const auto e = c.failure(client::get(nobody));
  CHECK(says(e, nobody.text() + ": cannot connect: Connection refused"));
  REQUIRE(e);
  CHECK(e->where == stage::before_send);
  CHECK(e->retryable);
}

TEST_CASE("a connection the server has closed in the meantime is replaced once") {
  for (const bool by_reset : {false, true}) {
    CAPTURE(by_reset);
    loopback_server server([&](peer& p) {
      if (p.number == 0) {
        p.request();
        p.answer("first");
        if (by_reset) {
          p.request();
          p.reset();
        }
      } else {
        answer_always(p);
      }
    });
    client c;
    CHECK(c.send(client::get(server.at())).body == "first");
    const response replaced = c.send(client::put(server.at(), "data"));
    CHECK(replaced.body == "hello");
    if (by_reset) CHECK(replaced.unsettled);  // the server had read it
    CHECK(c.pool.dials() == 2);
    const response after = c.send(client::get(server.at()));
    CHECK(after.body == "hello");
    CHECK_FALSE(after.unsettled);
    CHECK(c.pool.dials() == 2);
  }
}

TEST_CASE("a fresh connection that brings no answer is not tried again") {
  loopback_server server([](peer& p) {
    p.request();
    if (p.number == 1) p.reset();
  });
  client c;
  auto e = c.failure(client::get(server.at()));
  CHECK(says(e, "closed the connection without an answer"));
  REQUIRE(e);
  CHECK(e->where == stage::after_send);
  CHECK(c.pool.dials() == 1);
  e = c.failure(client::get(server.at()));
  CHECK(says(e, "Connection reset by peer"));
  CHECK(c.pool.dials() == 2);
}

TEST_CASE("an answer that has begun on a kept connection is not asked for again") {
  loopback_server server([](peer& p) {
    p.request();
    p.answer("first");
    p.request();
    p.send("HTTP/1.1 200");
  });
  client c;
  c.send(client::get(server.at()));
  CHECK(says(c.failure(client::get(server.at())), "in the middle of an answer's head"));
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("answers that come byte by byte are the same") {
  loopback_server server([](peer& p) {
    while (!p.request().empty()) {
      p.drip("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello");
      p.request();
      p.drip("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n");
    }
  });
  client c;
  const response sized = c.send(client::get(server.at()));
  CHECK(sized.body == "hello");
  CHECK(sized.header_value("x-a") == "b");
  CHECK(c.send(client::get(server.at())).body == "hello!");
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("HEAD, 204 and 304 have no body and keep the connection") {
  loopback_server server([](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    p.request();
    p.send("HTTP/1.1 204 No Content\r\n\r\n");
    p.request();
    p.send("HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n");
    p.wait();
  });
  client c;
  request head = client::get(server.at());
  head.method = "HEAD";
  const response first = c.send(head);
  CHECK(first.status == 200);
  CHECK(first.header_value("Content-Length") == "1000");
  CHECK(c.send(client::get(server.at())).status == 204);
  CHECK(c.send(client::get(server.at())).status == 304);
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("large bodies go out and come in whole") {
  const std::string big = pattern(5'000'001);
  loopback_server server([&](peer& p) {
    for (std::string r; !(r = p.request()).empty();) {
      p.answer(r.substr(r.find("\r\n\r\n") + 4));
    }
  });
  client c;
  for (const std::size_t size : {1ul, 65'536ul, 65'537ul, 300'000ul, big.size()}) {
    CAPTURE(size);
    const response echo = c.send(client::put(server.at(), big.substr(0, size)));
    const bool same = echo.body == std::string_view(big).substr(0, size);
    CHECK(same);
    CHECK(echo.body.capacity() >= size + response::body_padding);
  }
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("what the socket does not take at once follows") {
  // Short segments make the client's buffer small, and a server that is late to read fills it.
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor late(io);
  late.open(boost::asio::ip::tcp::v4());
  const int segment = 536;
  setsockopt(late.native_handle(), IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);
  late.set_option(boost::asio::socket_base::receive_buffer_size(4'096));
  late.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
  late.listen();
  std::string received;
  std::jthread serving([&] {
    peer p(late.accept(), 0);
    std::this_thread::sleep_for(50ms);
    received = p.request();
    p.answer("all of it");
  });
  client c;
  const std::string body = pattern(65'536);
  CHECK(c.send(client::put({false, "127.0.0.1", late.local_endpoint().port()}, body)).body == "all of it");
  serving.join();
  const bool whole = received.ends_with("\r\n\r\n" + body);
  CHECK(whole);
}

TEST_CASE("connections that cannot go on are not kept") {
  const std::string rows[] = {
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
      "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nmore",
  };
  for (const std::string& wire : rows) {
    CAPTURE(wire);
    loopback_server server([&](peer& p) {
      p.request();
      p.send(wire);
      p.wait();
    });
    client c;
    CHECK(c.send(client::get(server.at())).body == "hi");
    CHECK(c.send(client::get(server.at())).body == "hi");
    CHECK(c.pool.dials() == 2);
  }
}

TEST_CASE("a body without length ends with the connection") {
  loopback_server server([](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\n\r\n" + pattern(300'000));
  });
  client c;
  const response answer = c.send(client::get(server.at()));
  const bool same = answer.body == pattern(300'000);
  CHECK(same);
  CHECK(answer.body.capacity() >= answer.body.size() + response::body_padding);
}

TEST_CASE("broken and oversized answers are transport_errors after sending") {
  struct row {
    std::string wire;
    std::string_view failure;
    bool retryable;
  };
  const row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi", "after 2 of 10 bytes", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", "in the middle", true},
      {"220 mail.example ESMTP\r\n", "not valid HTTP/1.1", true},
      {"\x15\x03\x03\x00", "speaks TLS on this port", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "not valid HTTP/1.1",
       true},
      {"HTTP/1.1 200 OK\r\nX: " + std::string(5'000, 'x') + "\r\n\r\n", "head exceeds 4000 bytes", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "exceeds 1000", false},
      {"HTTP/1.1 200 OK\r\n\r\n" + std::string(1'001, 'x'), "exceeds 1000", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", "exceeds 1000", false},
  };
  for (const row& expected : rows) {
    CAPTURE(expected.wire);
    loopback_server server([&](peer& p) {
      p.request();
      p.send(expected.wire);
    });
    client c({.max_header_bytes = 4'000, .ca_bundle = {}});
    request r = client::get(server.at());
    r.max_response_bytes = 1'000;
    const auto e = c.failure(r);
    CHECK(says(e, expected.failure));
    REQUIRE(e);
    CHECK(e->where == stage::after_send);
    CHECK(e->retryable == expected.retryable);
    CHECK(e->endpoint == server.at().text());
  }
}

TEST_CASE("a slow server is given up after the attempt's time") {
  loopback_server server([](peer& p) {
    p.request();
    if (p.number == 1) p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi");
    p.wait();
  });
  client c;
  for (int i = 0; i < 2; ++i) {
    request r = client::get(server.at());
    r.attempt_timeout = 80ms;
    const auto before = std::chrono::steady_clock::now();
    const auto e = c.failure(r);
    CHECK(says(e, "no complete answer within 80 ms"));
    REQUIRE(e);
    CHECK(e->retryable);
    CHECK(e->where == stage::after_send);
    CHECK(std::chrono::steady_clock::now() - before < 5s);
  }
}

TEST_CASE("a server that takes nothing in is given up as well, also on a kept connection, and not tried twice") {
  std::promise<void> over;
  loopback_server server([until = over.get_future().share()](peer& p) {
    p.request();
    p.answer("first");
    until.wait();
  });
  client c;
  request r = client::put(server.at(), std::string(50'000'000, 'x'));
  r.attempt_timeout = 150ms;
  c.send(client::get(server.at()));
  CHECK(says(c.failure(r), "no complete answer within 150 ms"));
  over.set_value();
  CHECK(c.pool.dials() == 1);
}

TEST_CASE("a connection that does not come about is given up after its own time") {
  // A listener whose queue is full drops what comes: nobody accepts here.
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor full(io);
  full.open(boost::asio::ip::tcp::v4());
  full.bind({boost::asio::ip::make_address("127.0.0.1"), 0});
  full.listen(0);
  std::vector<std::unique_ptr<boost::asio::ip::tcp::socket>> fillers;
  for (int i = 0; i < 4; ++i) {
    fillers.push_back(std::make_unique<boost::asio::ip::tcp::socket>(io));
    fillers.back()->async_connect(full.local_endpoint(), [](auto) {});
  }
  io.run_for(50ms);
  client c({.connect_timeout = 100ms, .ca_bundle = {}});
  const auto e = c.failure(client::get({false, "127.0.0.1", full.local_endpoint().port()}));
  CHECK(says(e, "cannot connect within 100 ms"));
  REQUIRE(e);
  CHECK(e->where == stage::before_send);
  request r = client::get({false, "127.0.0.1", full.local_endpoint().port()});
  r.attempt_timeout = 40ms;
  CHECK(says(c.failure(r), "cannot connect within 40 ms"));
  CHECK(c.aborted(client::get(r.to), 30ms));
}

TEST_CASE("an early answer to a request that was broken off is reported") {
  loopback_server server([](peer& p) {
    p.head();
    p.answer("slow down", "503 Service Unavailable");
  });
  client c;
  const response answer = c.send(client::put(server.at(), std::string(50'000'000, 'x')));
  CHECK(answer.status == 503);
  CHECK(answer.body == "slow down");
  c.send(client::put(server.at(), std::string(50'000'000, 'x')));
  CHECK(c.pool.dials() == 2);
}

TEST_CASE("a request that was broken off without an answer is a transport_error") {
  loopback_server server([](peer& p) {
    p.head();
    p.reset();
  });
  client c;
  const auto e = c.failure(client::put(server.at(), std::string(50'000'000, 'x')));
  CHECK(says(e, "the request could not be sent"));
  REQUIRE(e);
  CHECK(e->where == stage::after_send);
}

TEST_CASE("a request that would break the message apart is refused, and the pool goes on") {
  loopback_server server(answer_always);
  client c;
  c.send(client::get(server.at()));
  request r = client::get(server.at());
  r.headers = {{"X", "a\r\nY: b"}};
  CHECK_THROWS_AS(c.send(r), usage_error);
  CHECK(c.send(client::get(server.at())).body == "hello");
}
