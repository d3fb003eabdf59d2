#include "fakes/server/request_reader.hpp"

#include <cstring>
#include <doctest/doctest.h>

namespace dynabackup::fakes {
namespace {

using state = request_reader::state;

/// Gives the reader up to `step` bytes at a time, as long as it wants any; what is left over comes back.
std::string_view feed(request_reader& reader, std::string_view bytes, std::size_t step = 1'000'000) {
  while (!bytes.empty() && (reader.now() == state::head || reader.now() == state::body)) {
    const auto room = reader.room();
    REQUIRE_FALSE(room.empty());
    const std::size_t count = std::min({step, room.size(), bytes.size()});
    std::memcpy(room.data(), bytes.data(), count);
    bytes.remove_prefix(count);
    reader.received(count);
  }
  return bytes;
}

std::string header_of(const request& r, std::string_view name) {
  for (const header& h : r.headers)
    if (h.name == name) return h.value;
  return "none";
}

const std::string put = "PUT /b/k?x=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nx-amz-meta-a:  b c \t\r\n\r\nhello";

TEST_CASE("a request is put together from pieces of any size, one after another") {
  for (const std::size_t step : {1, 2, 3, 7, 1000}) {
    CAPTURE(step);
    request_reader reader({});
    for (int i = 0; i < 3; ++i) {
      CHECK(reader.idle());
      CHECK(feed(reader, put, step).empty());
      REQUIRE(reader.now() == state::done);
      CHECK(reader.message().method == "PUT");
      CHECK(reader.message().target == "/b/k?x=1");
      CHECK(reader.message().body == "hello");
      CHECK(header_of(reader.message(), "x-amz-meta-a") == "b c");
      CHECK(reader.message().headers.size() == 3);
      CHECK(reader.keep_alive());
      reader.next();
    }
  }
}

TEST_CASE("requests that come in one go are read one by one, and none keeps anything of the one before") {
  request_reader reader({});
  feed(reader, put + "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  REQUIRE(reader.now() == state::done);
  reader.next();
  REQUIRE(reader.now() == state::done);
  CHECK(reader.message().method == "GET");
  CHECK(reader.message().body.empty());
  CHECK(reader.message().headers.size() == 1);
  CHECK_FALSE(reader.keep_alive());
}

TEST_CASE("a body longer than the buffer, or chunked, arrives whole") {
  const std::string body(300'000, 'b');
  request_reader sized({});
  feed(sized, "PUT / HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + body, 40'000);
  REQUIRE(sized.now() == state::done);
  CHECK(sized.message().body == body);
  request_reader chunked({});
  feed(chunked, "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n" + body + "\r\n0\r\n\r\n", 40'000);
  REQUIRE(chunked.now() == state::done);
  CHECK(chunked.message().body == body);
}

TEST_CASE("a client that expects 100-continue is told once, and only before its body") {
  request_reader reader({});
  feed(reader, "PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(reader.take_expectation());
  CHECK_FALSE(reader.take_expectation());
  feed(reader, "ab");
  CHECK(reader.now() == state::done);
}

TEST_CASE("what is malformed or too large is refused with a status") {
  struct row {
    std::string bytes;
    int status;
  };
  const std::vector<row> rows{
      {"nonsense\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET / HTTP/2\r\n\r\n", 400},
      {"GET /a b HTTP/1.1\r\n\r\n", 400},
      {"G T / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n: empty\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\nA: b\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
      {"PUT / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413},
      {"PUT / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffff\r\n" + std::string(2000, 'x'), 413},
      {"GET / HTTP/1.1\r\nA: " + std::string(2000, 'a'), 431},
      {"GET / HTTP/1.1\r\nA: " + std::string(2000, 'a') + "\r\n\r\n", 431}};
  for (const row& r : rows) {
    for (const std::size_t step : {1, 1000}) {
      CAPTURE(r.bytes.substr(0, 60));
      request_reader reader({.head_bytes = 1000, .body_bytes = 1000});
      feed(reader, r.bytes, step);
      REQUIRE(reader.now() == state::refused);
      CHECK(reader.status() == r.status);
    }
  }
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  request_reader reader({});
  feed(reader, many + "\r\n");
  CHECK(reader.now() == state::refused);
}

TEST_CASE("aws-chunked bodies are decoded, their trailers become headers") {
  const std::string head =
      "PUT / HTTP/1.1\r\nx-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-decoded-content-length: "
      "8\r\n";
  const std::string body = "5;chunk-signature=ab\r\nhello\r\n3\r\nyou\r\n0\r\nx-amz-checksum-crc32: AAAA\r\n\r\n";
  request_reader reader({});
  feed(reader, head + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  REQUIRE(reader.now() == state::done);
  CHECK(reader.message().body == "helloyou");
  CHECK(header_of(reader.message(), "x-amz-checksum-crc32") == "AAAA");
}

TEST_CASE("a malformed aws-chunked body is refused") {
  const std::vector<header> eight{{"X-Amz-Decoded-Content-Length", "8"}};
  for (const char* bad : {"", "5\r\nhel", "5\r\nhelloXX3\r\nyou\r\n0\r\n\r\n", "x\r\n", "fffffffffffffffff\r\n",
                          "5\r\nhello\r\n0\r\n\r\n", "8\r\nhelloyou\r\n0\r\nnocolon\r\n\r\n", "8\r\nhelloyou\r\n"}) {
    CAPTURE(bad);
    std::string body = bad;
    std::vector<header> headers = eight;
    CHECK_FALSE(decode_aws_chunked(body, headers));
  }
  std::string body = "8\r\nhelloyou\r\n0\r\n\r\n";
  std::vector<header> headers;
  CHECK_FALSE(decode_aws_chunked(body, headers));
}

}  // namespace
}  // namespace dynabackup::fakes
