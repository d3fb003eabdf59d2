// What a pool holds, and for how long: charges, idle connections, exchanges that are cancelled or torn down.
#include <doctest/doctest.h>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/connection_pool.hpp"
#include "unit/http/pool_fixture.hpp"

using namespace std::chrono_literals;
using namespace dynabackup;
using fakes::client;
using fakes::loopback_server;
using fakes::peer;
using fakes::says;

namespace {

void answer_always(peer& p) {
  while (!p.request().empty()) p.answer("hello");
}

const std::string long_text(100'000, 't');

}  // namespace

TEST_CASE("a body waits for the budget, and its attempt's time stands still") {
  loopback_server server([](peer& p) {
    while (!p.request().empty()) p.answer(long_text);
  });
  client c;
  byte_budget budget(150'000);
  auto held = fakes::run_task(budget.acquire(100'000));
  request r = client::get(server.at());
  r.budget = &budget;
  r.attempt_timeout = 400ms;
  std::optional<response> answer;
  boost::asio::co_spawn(c.io, c.pool.send(r), [&](const std::exception_ptr& e, response got) {
    CHECK(e == nullptr);
    answer = std::move(got);
  });
  c.io.run_for(700ms);
  CHECK(!answer);
  CHECK(budget.waits() == 1);
  CHECK(budget.used() == 100'000);
  held.release();
  c.io.run();
  REQUIRE(answer);
  const bool same = answer->body == long_text;
  CHECK(same);
  CHECK(answer->charge.bytes() == answer->body.capacity());
  CHECK(budget.used() == answer->body.capacity());
  answer.reset();
  CHECK(budget.used() == 0);
}

TEST_CASE("cancelled while its body waits for the budget, a request charges nothing") {
  loopback_server server([](peer& p) {
    p.request();
    p.answer(long_text.substr(0, 100));
    p.wait();
  });
  client c;
  byte_budget budget(150);
  auto held = fakes::run_task(budget.acquire(100));
  request r = client::get(server.at());
  r.budget = &budget;
  CHECK(c.aborted(r, 100ms));
  CHECK(budget.used() == 100);
}

TEST_CASE("a failed answer gives its charge back") {
  loopback_server server([](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhi");
  });
  client c;
  byte_budget budget(10'000);
  request r = client::get(server.at());
  r.budget = &budget;
  CHECK(says(c.failure(r), "after 2 of 1000"));
  CHECK(budget.used() == 0);
}

TEST_CASE("cancellation at every stage drops the connection and leaves nothing running") {
  std::promise<void> over;
  loopback_server server([until = over.get_future().share()](peer& p) {
    if (p.number == 0) {
      p.head();  // in mid-request
      until.wait();
    } else if (p.number == 1) {
      p.request();  // before the answer
    } else if (p.number == 2) {
      p.request();
      p.send("HTTP/1.1 200 OK\r\nContent-");  // in the head
    } else if (p.number == 3) {
      p.request();
      p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");  // in the body
    } else if (p.number == 4) {
      p.request();
      p.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe");
    } else {
      p.request();
      p.answer("alive");
    }
    p.wait();
  });
  client c;
  CHECK(c.aborted(client::put(server.at(), std::string(50'000'000, 'x')), 60ms));
  over.set_value();
  for (int i = 1; i < 5; ++i) {
    CAPTURE(i);
    CHECK(c.aborted(client::get(server.at()), 60ms));
  }
  CHECK(c.send(client::get(server.at())).body == "alive");
  CHECK(c.pool.dials() == 6);
}

TEST_CASE("an idle connection that is too old is closed, not used") {
  loopback_server server(answer_always);
  client c({.idle_timeout = 30ms, .ca_bundle = {}});
  c.send(client::get(server.at()));
  std::this_thread::sleep_for(60ms);
  c.send(client::get(server.at()));
  c.send(client::get(server.at()));
  CHECK(c.pool.dials() == 2);
}

TEST_CASE("an idle connection on which something unasked came in is not used") {
  loopback_server server([](peer& p) {
    p.request();
    p.answer("first");
    if (p.number == 0) p.answer("too late", "408 Request Timeout");
    answer_always(p);
  });
  client c;
  CHECK(c.send(client::get(server.at())).status == 200);
  std::this_thread::sleep_for(300ms);
  CHECK(c.send(client::get(server.at())).status == 200);
  CHECK(c.send(client::get(server.at())).status == 200);
}

TEST_CASE("no more connections are kept than asked for") {
  loopback_server server(answer_always);
  client c({.max_idle = 2, .ca_bundle = {}});
  const auto wave = [&] {
    std::vector<request> requests(5, client::get(server.at()));
    for (request& r : requests) {
      boost::asio::co_spawn(c.io, c.pool.send(r), [](const std::exception_ptr& e, const response&) { CHECK(!e); });
    }
    c.io.restart();
    c.io.run();
  };
  wave();
  CHECK(c.pool.dials() == 5);
  wave();
  CHECK(c.pool.dials() == 8);
}

TEST_CASE("a pool may outlive an io_context and go on with another") {
  loopback_server server(answer_always);
  http::connection_pool pool({});
  for (int i = 0; i < 3; ++i) {
    request r = client::get(server.at("localhost"));
    CHECK(fakes::run_task(pool.send(r)).body == "hello");
  }
  CHECK(pool.dials() == 3);
}

TEST_CASE("an io_context may be torn down in the middle of an exchange, before or after its pool") {
  loopback_server server([](peer& p) {
    p.request();
    p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
    p.wait();
  });
  request r = client::get(server.at("localhost"));
  auto io = std::make_unique<boost::asio::io_context>();
  auto pool = std::make_unique<http::connection_pool>(http::pool_settings{});
  boost::asio::co_spawn(*io, pool->send(r), [](const std::exception_ptr&, const response&) {});
  SUBCASE("at once, while the name is looked up") { io->poll(); }
  SUBCASE("in mid-body") { io->run_for(100ms); }
  io.reset();
  CHECK(pool->dials() == 1);
}
