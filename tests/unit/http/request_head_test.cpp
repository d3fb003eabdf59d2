#include "http/request_head.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

using namespace std::string_literals;
using dynabackup::request;
using dynabackup::usage_error;
using dynabackup::http::append_head;

namespace {

std::string head_of(const request& r) {
  std::string out;
  append_head(out, r);
  return out;
}

}  // namespace

TEST_CASE("a request's head, byte for byte") {
  request r{
      .method = "GET", .to = {true, "example.com", 443}, .target = "/a?b=c", .headers = {{"X-A", "1"}}, .body = ""};
  CHECK(head_of(r) == "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\n\r\n");
  r.to = {false, "::1", 8000};
  r.headers.clear();
  CHECK(head_of(r) == "GET /a?b=c HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n");
  r.body = "12345";
  CHECK(head_of(r) == "GET /a?b=c HTTP/1.1\r\nHost: [::1]:8000\r\nContent-Length: 5\r\n\r\n");
}

TEST_CASE("methods that call for a length say zero") {
  request r{.method = "PUT", .to = {false, "h", 80}, .headers = {}, .body = ""};
  CHECK(head_of(r) == "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
  r.method = "POST";
  CHECK(head_of(r).find("Content-Length: 0") != std::string::npos);
  r.method = "DELETE";
  CHECK(head_of(r).find("Content-Length") == std::string::npos);
}

TEST_CASE("nothing can break the message apart") {
  const request good{.method = "GET", .to = {false, "h", 80}, .headers = {}, .body = ""};
  for (const std::string& bad : {"\r"s, "\n"s, "\0"s, "a\r\nHost: b"s}) {
    CAPTURE(bad);
    request r = good;
    r.target = "/" + bad;
    CHECK_THROWS_AS(head_of(r), usage_error);
    r = good;
    r.method = bad;
    CHECK_THROWS_AS(head_of(r), usage_error);
    r = good;
    r.to.host = bad;
    CHECK_THROWS_AS(head_of(r), usage_error);
    r = good;
    r.headers = {{"X", bad}};
    CHECK_THROWS_AS(head_of(r), usage_error);
    r.headers = {{bad, "x"}};
    CHECK_THROWS_AS(head_of(r), usage_error);
  }
  request r = good;
  r.target = "/a b";
  CHECK_THROWS_AS(head_of(r), usage_error);
  r = good;
  r.headers = {{"X:Y", "z"}};
  CHECK_THROWS_AS(head_of(r), usage_error);
}

TEST_CASE("what ends one part of a head is allowed in another") {
  const request r{.method = "GET:",
                  .to = {false, "h", 80},
                  .target = "/a:\xc3\xa9",
                  .headers = {{"X\xff", " a: b\t\x8d\x8a"}},
                  .body = ""};
  CHECK(head_of(r) == "GET: /a:\xc3\xa9 HTTP/1.1\r\nHost: h\r\nX\xff:  a: b\t\x8d\x8a\r\n\r\n");
}
