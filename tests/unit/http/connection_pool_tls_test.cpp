#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <string>
#include <thread>

#include "http/connection_pool.hpp"
#include "unit/http/certificates.hpp"
#include "unit/http/pool_fixture.hpp"

using namespace std::chrono_literals;
using namespace dynabackup;
using fakes::authority;
using fakes::client;
using fakes::loopback_server;
using fakes::peer;
using fakes::says;
using fakes::server_context;
using fakes::temporary_file;
using stage = transport_error::stage;

namespace {

const authority& our_authority() {
  static const authority ours("our authority");
  return ours;
}

struct trusting {
  temporary_file bundle{our_authority().pem()};
  client c{http::pool_settings{.tls_timeout = 2s, .ca_bundle = bundle.path()}};
};

void echo(peer& p) {
  for (std::string r; !(r = p.request()).empty();) p.answer(r.substr(r.find("\r\n\r\n") + 4));
}

}  // namespace

TEST_CASE_FIXTURE(trusting, "TLS: a trusted server is talked to, by address and by name, over kept connections") {
  const auto context = server_context(our_authority().sign("DNS:localhost,IP:127.0.0.1"));
  loopback_server server(echo, context.get());
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    CAPTURE(host);
    for (int i = 0; i < 3; ++i) CHECK(c.send(client::put(server.at(host), "data")).body == "data");
  }
  CHECK(c.pool.dials() == 2);
}

TEST_CASE_FIXTURE(trusting, "TLS: large bodies go out and come in whole") {
  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server server(echo, context.get());
  std::string big(3'000'001, '\0');
  for (std::size_t i = 0; i < big.size(); ++i) big[i] = static_cast<char>('a' + i % 23);
  const response answer = c.send(client::put(server.at(), big));
  const bool same = answer.body == big;
  CHECK(same);
  CHECK(c.send(client::put(server.at(), "x")).body == "x");
  CHECK(c.pool.dials() == 1);
}

TEST_CASE_FIXTURE(trusting, "TLS: AES-128 is offered first, and nothing below TLS 1.2 is taken") {
  const auto pem = our_authority().sign("IP:127.0.0.1");
  struct row {
    int newest;
    std::string_view cipher;
  };
  for (const row& expected : {row{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},
                              row{TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"}, row{TLS1_1_VERSION, ""}}) {
    CAPTURE(expected.newest);
    const auto context = server_context(pem);
    SSL_CTX_set_security_level(context->native_handle(), 0);
    SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context->native_handle(), expected.newest);
    loopback_server server(
        [](peer& p) {
          p.request();
          p.answer(p.cipher());
          p.wait();
        },
        context.get());
    if (expected.cipher.empty()) {
      const auto e = c.failure(client::get(server.at()));
      CHECK(says(e, "TLS"));
      REQUIRE(e);
      CHECK(!e->retryable);
    } else {
      CHECK(c.send(client::get(server.at())).body == expected.cipher);
    }
  }
}

TEST_CASE("TLS: a certificate that does not convince is refused with its reason, for good, before anything is sent") {
  struct row {
    std::string_view what;
    fakes::credentials_pem pem;
    std::string host;
    std::string_view reason;
    std::string_view advice;
  };
  const authority other("another authority");
  const row rows[] = {
      {"wrong authority", other.sign("IP:127.0.0.1"), "127.0.0.1", "issuer certificate", "AWS_CA_BUNDLE"},
      {"expired", our_authority().sign("IP:127.0.0.1", -3, -2), "127.0.0.1", "certificate has expired", "clock"},
      {"not yet valid", our_authority().sign("IP:127.0.0.1", 2, 3), "127.0.0.1", "not yet valid", "clock"},
      {"another host", our_authority().sign("DNS:other.example"), "localhost", "hostname mismatch", "endpoint"},
      {"another address", our_authority().sign("IP:127.0.0.2"), "127.0.0.1", "IP address mismatch", "endpoint"},
      {"a name for an address", our_authority().sign("DNS:127.0.0.1"), "127.0.0.1", "IP address mismatch", "endpoint"},
  };
  for (const row& expected : rows) {
    CAPTURE(expected.what);
    trusting t;
    const auto context = server_context(expected.pem);
    std::atomic<bool> served = false;
    {
      loopback_server server([&](peer& p) { served = !p.request().empty(); }, context.get());
      const auto e = t.c.failure(client::get(server.at(expected.host)));
      CHECK(says(e, "the server's certificate was refused"));
      CHECK(says(e, expected.reason));
      CHECK(says(e, expected.advice));
      REQUIRE(e);
      CHECK(!e->retryable);
      CHECK(e->where == stage::before_send);
    }
    CHECK(!served);
  }
}

TEST_CASE("TLS: without a bundle a private authority is not trusted") {
  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server server(echo, context.get());
  client c;
  CHECK(says(c.failure(client::get(server.at())), "the server's certificate was refused"));
}

TEST_CASE("TLS: a bundle that cannot be read is a usage_error naming it, on first TLS use only") {
  const temporary_file rubbish("no certificate here");
  loopback_server plain(echo);
  for (const std::string& path : {std::string("/nonexistent/bundle.pem"), rubbish.path()}) {
    client c(http::pool_settings{.ca_bundle = path});
    CHECK(c.send(client::put(plain.at(), "plain")).body == "plain");
    origin tls = plain.at();
    tls.tls = true;
    std::string what;
    try {
      c.send(client::get(tls));
    } catch (const usage_error& e) {
      what = e.what();
    }
    CHECK(what.find(path) != std::string::npos);
  }
}

TEST_CASE_FIXTURE(trusting, "TLS to a plain port and plain text to a TLS port say so") {
  loopback_server plain([](peer& p) {
    p.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    p.wait();
  });
  origin wrong = plain.at();
  wrong.tls = true;
  auto e = c.failure(client::get(wrong));
  CHECK(says(e, "does not speak TLS"));
  REQUIRE(e);
  CHECK(!e->retryable);

  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server secure(echo, context.get());
  wrong = secure.at();
  wrong.tls = false;
  e = c.failure(client::get(wrong));
  CHECK(says(e, "closed the connection without an answer (does it want https?)"));
}

TEST_CASE("TLS: a handshake that does not come about is given up after its own time, or cancelled") {
  loopback_server silent([](peer& p) { p.wait(); });
  origin tls = silent.at();
  tls.tls = true;
  client c({.tls_timeout = 80ms, .ca_bundle = {}});
  const auto e = c.failure(client::get(tls));
  CHECK(says(e, "no TLS handshake within 80 ms"));
  REQUIRE(e);
  CHECK(e->retryable);
  CHECK(e->where == stage::before_send);
  CHECK(c.aborted(client::get(tls), 40ms));
}

TEST_CASE("TLS: a server that hangs up during the handshake may be tried again") {
  loopback_server rude([](peer& p) {
    p.listen();
    p.reset();
  });
  origin tls = rude.at();
  tls.tls = true;
  client c;
  const auto e = c.failure(client::get(tls));
  CHECK(says(e, "TLS"));
  REQUIRE(e);
  CHECK(e->retryable);
  CHECK(e->where == stage::before_send);
}

TEST_CASE_FIXTURE(trusting, "TLS: a truncated answer is an error, also one whose only end is the connection's") {
  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server server(
      [](peer& p) {
        p.request();
        if (p.number == 0) p.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi");
        if (p.number > 0) p.send("HTTP/1.1 200 OK\r\n\r\nhi");
        if (p.number == 2) p.close_notify();
      },
      context.get());
  CHECK(says(c.failure(client::get(server.at())), "no complete answer"));
  CHECK(says(c.failure(client::get(server.at())), "no complete answer"));
  CHECK(c.send(client::get(server.at())).body == "hi");
}

TEST_CASE_FIXTURE(trusting, "TLS: stale connections are replaced, surplus is noticed, cancellation leaves nothing") {
  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server server(
      [](peer& p) {
        p.request();
        switch (p.number) {
          case 0:
            p.answer("stale");
            return;
          case 1:
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi, and more");
            break;
          case 2:
            p.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf");
            break;
          default:
            p.answer("last");
        }
        p.wait();
      },
      context.get());
  CHECK(c.send(client::get(server.at())).body == "stale");
  CHECK(c.send(client::get(server.at())).body == "hi");
  CHECK(c.pool.dials() == 2);
  CHECK(c.aborted(client::get(server.at()), 100ms));
  CHECK(c.send(client::get(server.at())).body == "last");
  CHECK(c.pool.dials() == 4);
}

TEST_CASE_FIXTURE(trusting, "TLS: a slow answer is given up after the attempt's time") {
  const auto context = server_context(our_authority().sign("IP:127.0.0.1"));
  loopback_server server(
      [](peer& p) {
        p.request();
        p.answer("first");
        p.wait();
      },
      context.get());
  c.send(client::get(server.at()));
  request r = client::get(server.at());
  r.attempt_timeout = 80ms;
  CHECK(says(c.failure(r), "no complete answer within 80 ms"));
  CHECK(c.pool.dials() == 1);
}
