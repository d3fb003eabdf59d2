#include "http/response_reader.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"
#include "fakes/run_task.hpp"

using namespace std::string_literals;
using namespace std::string_view_literals;
using dynabackup::byte_budget;
using dynabackup::response;
using dynabackup::transport_error;
using dynabackup::http::response_reader;

namespace {

constexpr response_reader::limits small{1'000, 2'000, false};
constexpr response_reader::limits for_head{1'000, 2'000, true};

struct result {
  response answer;
  bool reusable = false;
  std::string failure;
  bool retryable = true;
};

// Feeds `wire` in pieces of at most `piece` bytes, then closes.
result read(std::string_view wire, std::size_t piece, response_reader::limits limits = small) {
  response_reader reader("http://test:80");
  reader.begin(limits);
  result r;
  try {
    bool closed = false;
    while (reader.now() != response_reader::state::done) {
      if (reader.now() == response_reader::state::held) {
        reader.admit({});
      } else if (!wire.empty()) {
        const auto room = reader.room();
        REQUIRE(!room.empty());
        const std::size_t n = std::min({room.size(), wire.size(), piece});
        std::copy_n(wire.data(), n, room.data());
        wire.remove_prefix(n);
        reader.received(n);
      } else {
        REQUIRE(!closed);
        closed = true;
        reader.closed();
      }
    }
    r.reusable = reader.reusable();
    r.answer = reader.take();
    CHECK(r.answer.body.capacity() >= r.answer.body.size() + response::body_padding);
  } catch (const transport_error& e) {
    r.failure = e.what();
    r.retryable = e.retryable;
  }
  return r;
}

const std::string ok = "HTTP/1.1 200 OK\r\n";

struct good_row {
  std::string wire;
  int status;
  std::string body;
  bool reusable;
  response_reader::limits limits = small;
};

}  // namespace

TEST_CASE("answers are the same at every piece size") {
  const std::string long_body(1'900, 'x');
  const good_row rows[] = {
      {ok + "Content-Length: 5\r\n\r\nhello", 200, "hello", true},
      {ok + "Content-Length: 0\r\n\r\n", 200, "", true},
      {ok + "content-length:1900\r\n\r\n" + long_body, 200, long_body, true},
      {ok + "Content-Length: 5, 5\r\n\r\nhello", 200, "hello", true},
      {ok + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 200, "hello", true},
      {ok + "Content-Length: 5\r\nConnection: close\r\n\r\nhello", 200, "hello", false},
      {ok + "Content-Length: 5\r\nConnection: x, Close\r\n\r\nhello", 200, "hello", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false},
      {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi", 200, "hi", true},
      {"HTTP/1.1 503 \r\nContent-Length: 2\r\n\r\nhi", 503, "hi", true},
      {ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;a=\"b\"\r\n world\r\n0\r\n\r\n", 200, "hello world",
       true},
      {ok + "transfer-encoding: Chunked\r\n\r\n0\r\n\r\n", 200, "", true},
      {ok + "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n000\r\nX-Trailer: 1\r\nY: 2\r\n\r\n", 200,
       "0123456789", true},
      {ok + "\r\nuntil the end", 200, "until the end", false},
      {ok + "\r\n", 200, "", false},
      {"HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, "", true},
      {ok + "Content-Length: 100000\r\n\r\n", 200, "", true, for_head},
      {ok + "Transfer-Encoding: chunked\r\n\r\n", 200, "", true, for_head},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nhi", 200,
       "hi", true},
  };
  for (const good_row& row : rows) {
    for (const std::size_t piece : {1, 2, 3, 5, 7, 16, 64, 100'000}) {
      CAPTURE(row.wire);
      CAPTURE(piece);
      const result r = read(row.wire, piece, row.limits);
      CHECK(r.failure == "");
      CHECK(r.answer.status == row.status);
      CHECK(r.answer.body == row.body);
      CHECK(r.reusable == row.reusable);
      CHECK_MESSAGE(r.answer.header_value("Link") == "", "an interim answer leaves nothing behind");
    }
  }
}

TEST_CASE("headers come out as they were, without the trailers") {
  const result r =
      read(ok + "X-A: 1\r\nx-b:  two words \r\nX-A: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-T: t\r\n\r\n", 4);
  REQUIRE(r.answer.headers.size() == 4);
  CHECK(r.answer.headers[0].name == "X-A");
  CHECK(r.answer.header_value("X-B") == "two words");
  CHECK(r.answer.headers[2].value == "3");
  CHECK(r.answer.header_value("x-t") == "");
}

TEST_CASE("surplus bytes after the answer make the connection unfit for another") {
  const std::string rows[] = {
      ok + "Content-Length: 2\r\n\r\nhiHTTP/1.1 200 OK\r\n",
      ok + "Content-Length: 2\r\n\r\nhi!",
      ok + "Content-Length: 0\r\n\r\n!",
      ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n!",
      "HTTP/1.1 204 No Content\r\n\r\n!",
      ok + "Content-Length: 1000\r\n\r\n" + std::string(1'001, 'b'),
  };
  for (const std::string& wire : rows) {
    CAPTURE(wire);
    const result whole = read(wire, 100'000);
    CHECK(whole.failure == "");
    CHECK(whole.reusable == false);
  }
  const result big = read(rows[5], 500);
  CHECK(big.answer.body.size() == 1'000);
  CHECK(big.reusable == false);
}

TEST_CASE("what is not an answer is refused at every piece size") {
  struct bad_row {
    std::string wire;
    std::string_view failure;
    bool retryable;
  };
  const std::string chunked = ok + "Transfer-Encoding: chunked\r\n\r\n";
  const bad_row rows[] = {
      {"", "closed the connection without an answer", true},
      {"HTTP/1.1 200", "in the middle of an answer's head", true},
      {ok + "Content-Le", "in the middle of an answer's head", true},
      {ok + "Content-Length: 5\r\n\r\nhell", "after 4 of 5 bytes", true},
      {chunked + "5\r\nhell", "in the middle of an answer's chunked body", true},
      {chunked + "5\r\nhello\r\n", "in the middle of an answer's chunked body", true},
      {chunked + "0\r\n", "in the middle of an answer's chunked body", true},
      {"SSH-2.0-OpenSSH_9.2\r\n", "not valid HTTP/1.1", true},
      {"ICY 200 OK\r\n\r\n", "not valid HTTP/1.1", true},
      {"HTTP/2.0 200 OK\r\n\r\n", "not valid HTTP/1.1", true},
      {"HTTP/1.1 20 OK\r\n\r\n", "not valid HTTP/1.1", true},
      {"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n", "status that was not asked for: 0", false},
      {"HTTP/1.1 101 Switching Protocols\r\n\r\n", "status that was not asked for: 101", false},
      {ok + "no colon\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "A: \x01\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Content-Length: -1\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Content-Length: 99999999999999999999999\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", "not valid HTTP/1.1", true},
      {ok + "Transfer-Encoding: gzip, chunked\r\n\r\n", "transfer coding other than chunked", false},
      {ok + "Transfer-Encoding: gzip\r\n\r\n", "transfer coding other than chunked", false},
      {ok + "Content-Length: 2001\r\n\r\n", "body of 2001 bytes exceeds 2000", false},
      {ok + "Content-Length: 18446744073709551615\r\n\r\n", "exceeds 2000", false},
      {ok + "\r\n" + std::string(2'001, 'x'), "body exceeds 2000 bytes", false},
      {chunked + "7d1\r\n", "chunked body exceeds 2000 bytes", false},
      {chunked + "400\r\n" + std::string(1'024, 'x') + "\r\n400\r\n", "chunked body exceeds 2000 bytes", false},
      {chunked + "1;" + std::string(2'000, 'x'), "chunked body exceeds 2000 bytes", false},
      {chunked + "0\r\nX: " + std::string(2'000, 'x'), "chunked body exceeds 2000 bytes", false},
      {chunked + "fffffffffffffffff\r\n", "bad chunk", true},
      {chunked + "\r\n", "bad chunk", true},
      {chunked + "-1\r\n", "bad chunk", true},
      {chunked + "5\nhello", "bad chunk", true},
      {chunked + "5\r\nhelloX\r\n", "bad chunk", true},
      {chunked + "5;a\nhello", "bad chunk", true},
      {chunked + "0\r\n\n", "bad chunk", true},
      {ok + "A: " + std::string(1'000, 'x') + "\r\n\r\n", "head exceeds 1000 bytes", false},
      {ok + std::string(1'000, 'x'), "head exceeds 1000 bytes", false},
      {std::string(1'001, 'x'), "begins with something else", true},
      {"\x15\x03\x01\x00\x02\x02\x46"s, "speaks TLS on this port", false},
      {"\x16\x03\x01\x02"s, "speaks TLS on this port", false},
  };
  for (const bad_row& row : rows) {
    for (const std::size_t piece : {1, 2, 5, 64, 100'000}) {
      CAPTURE(row.wire);
      CAPTURE(piece);
      const result r = read(row.wire, piece);
      CHECK(r.failure != "");
      CHECK(r.failure.find(row.failure) != std::string::npos);
      CHECK(r.failure.starts_with("http://test:80: "));
      CHECK(r.retryable == row.retryable);
    }
  }
}

TEST_CASE("heads are bounded together: many small headers and many interim answers end") {
  std::string many = ok;
  for (int i = 0; i < 300; ++i) many += "A: 1\r\n";
  CHECK(read(many + "\r\n", 5).failure.find("head exceeds") != std::string::npos);
  std::string interim;
  for (int i = 0; i < 100; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  CHECK(read(interim, 7).failure.find("head exceeds") != std::string::npos);
}

TEST_CASE("a body is held until it is admitted, and its memory is what was charged") {
  byte_budget budget(1'000'000);
  response_reader reader("http://test:80");
  const auto feed = [&](std::string_view bytes) {
    while (!bytes.empty()) {
      const auto room = reader.room();
      const std::size_t n = std::min(room.size(), bytes.size());
      std::copy_n(bytes.data(), n, room.data());
      bytes.remove_prefix(n);
      reader.received(n);
    }
  };
  const auto admit = [&] {
    REQUIRE(reader.now() == response_reader::state::held);
    reader.admit(dynabackup::fakes::run_task(budget.acquire(reader.body_cost())));
  };
  SUBCASE("of known length: exactly") {
    reader.begin({1'000, 500'000, false});
    feed(ok + "Content-Length: 300000\r\n\r\nfirst");
    CHECK(reader.body_cost() == 300'000 + response::body_padding);
    admit();
    CHECK(budget.used() == 300'000 + response::body_padding);
    feed(std::string(299'995, 'x'));
    const response answer = reader.take();
    CHECK(answer.body.size() == 300'000);
    CHECK(answer.body.starts_with("firstx"));
    CHECK(answer.body.capacity() == 300'000 + response::body_padding);
    CHECK(answer.charge.bytes() == answer.body.capacity());
  }
  SUBCASE("chunked: grows as it comes") {
    reader.begin({1'000, 500'000, false});
    feed(ok + "Transfer-Encoding: chunked\r\n\r\n");
    admit();
    for (int i = 0; i < 20; ++i) feed("1000\r\n" + std::string(4'096, 'x') + "\r\n");
    CHECK(budget.used() >= 20 * 4'096);
    feed("0\r\n\r\n");
    const response answer = reader.take();
    CHECK(answer.body.size() == 20 * 4'096);
    CHECK(answer.charge.bytes() == answer.body.capacity());
  }
  SUBCASE("small and without length: the guess is corrected") {
    reader.begin({1'000, 500'000, false});
    feed(ok + "\r\n");
    admit();
    feed("short");
    reader.closed();
    const response answer = reader.take();
    CHECK(answer.body == "short");
    CHECK(answer.charge.bytes() == answer.body.capacity());
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("a reader serves one answer after another") {
  response_reader reader("http://test:80");
  for (const std::string body : {"one", "", "three"}) {
    reader.begin(small);
    CHECK(!reader.started());
    const std::string wire = ok + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const auto room = reader.room();
    REQUIRE(room.size() >= wire.size());
    std::copy_n(wire.data(), wire.size(), room.data());
    reader.received(wire.size());
    if (reader.now() == response_reader::state::held) reader.admit({});
    REQUIRE(reader.now() == response_reader::state::done);
    CHECK(reader.reusable());
    CHECK(reader.take().body == body);
  }
}
