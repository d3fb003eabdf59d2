#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "dynabackup/http.hpp"

using namespace dynabackup;

TEST_CASE("the Host header names the port only where it is not the scheme's own") {
  struct row {
    origin from;
    std::string host_header, text;
  };
  const std::vector<row> rows = {
      {{true, "a.example", 443}, "a.example", "https://a.example:443"},
      {{true, "a.example", 80}, "a.example:80", "https://a.example:80"},
      {{false, "a.example", 80}, "a.example", "http://a.example:80"},
      {{false, "a.example", 443}, "a.example:443", "http://a.example:443"},
      {{false, "::1", 9000}, "[::1]:9000", "http://[::1]:9000"},
      {{true, "::1", 443}, "[::1]", "https://[::1]:443"},
  };
  for (const row& r : rows) {
    CHECK(r.from.host_header() == r.host_header);
    CHECK(r.from.text() == r.text);
  }
}

TEST_CASE("set_header leaves one header of that name, in the first one's place") {
  request r;
  r.set_header("A", "1");
  r.headers.push_back({"b", "x"});
  r.headers.push_back({"C", "y"});
  r.headers.push_back({"B", "z"});
  r.set_header("B", "new");
  REQUIRE(r.headers.size() == 3);
  CHECK(r.headers[0].value == "1");
  CHECK(r.headers[1].name == "B");
  CHECK(r.headers[1].value == "new");
  CHECK(r.headers[2].name == "C");
}

TEST_CASE("set_header adds what is not there") {
  request r;
  r.set_header("A", "1");
  r.set_header("AB", "2");
  REQUIRE(r.headers.size() == 2);
  CHECK(r.headers[1].name == "AB");
}

TEST_CASE("header_value finds the first of a name without regard to case") {
  response r;
  r.headers = {{"ETag", "one"}, {"etag", "two"}, {"x-empty", ""}};
  CHECK(r.header_value("ETAG") == "one");
  CHECK(r.header_value("etag") == "one");
  CHECK(r.header_value("x-empty") == "");
  CHECK(r.header_value("eta") == "");
  CHECK(r.header_value("absent") == "");
}
