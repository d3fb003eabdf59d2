#include "http/url.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using namespace std::string_literals;

namespace {

std::string refusal(std::string_view text) {
  try {
    http::parse_url(text);
  } catch (const usage_error& e) {
    return e.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a URL is taken apart") {
  struct row {
    std::string text;
    http::url parts;
  };
  const std::vector<row> rows = {
      {"https://dynamodb.us-east-1.amazonaws.com", {{true, "dynamodb.us-east-1.amazonaws.com", 443}, ""}},
      {"http://localhost:8000", {{false, "localhost", 8000}, ""}},
      {"http://localhost", {{false, "localhost", 80}, ""}},
      {"https://localhost:80/", {{true, "localhost", 80}, ""}},
      {"HTTPS://Example.COM/Base", {{true, "example.com", 443}, "/Base"}},
      {"http://127.0.0.1:9000///", {{false, "127.0.0.1", 9000}, ""}},
      {"https://proxy/a/b%20c/", {{true, "proxy", 443}, "/a/b%20c"}},
      {"https://h/v1:x@y,z=1;(~)", {{true, "h", 443}, "/v1:x@y,z=1;(~)"}},
      {"http://[::1]:4566/x", {{false, "::1", 4566}, "/x"}},
      {"https://[FD00::A]", {{true, "fd00::a", 443}, ""}},
      {"http://dynamodb_local:65535", {{false, "dynamodb_local", 65535}, ""}},
  };
  for (const row& r : rows) {
    CAPTURE(r.text);
    const http::url got = http::parse_url(r.text);
    CHECK(got.where == r.parts.where);
    CHECK(got.path == r.parts.path);
  }
}

TEST_CASE("what endpoints do not use is refused, with the reason") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "does not start with"},
      {"localhost:8000", "does not start with"},
      {"ftp://h", "does not start with"},
      {"http:/h", "does not start with"},
      {"s3://bucket", "does not start with"},
      {"http://", "host"},
      {"http:///path", "host"},
      {"http://:80", "host"},
      {"http://a..b", "host"},
      {"http://a.", "host"},
      {"http://.a", "host"},
      {"http://-a", "host"},
      {"http://a-", "host"},
      {"http://a b", "host"},
      {"http://a\r\nX-Evil: 1", "host"},
      {"http://h\xc3\xa9", "host"},
      {"http://a%41", "host"},
      {"http://" + std::string(64, 'a'), "host"},
      {"http://" + std::string(60, 'a') + "." + std::string(60, 'b') + "." + std::string(60, 'c') + "." +
           std::string(60, 'd') + "." + std::string(60, 'e'),
       "host"},
      {"http://[::1", "host"},
      {"http://[::1]8000", "host"},
      {"http://[]", "host"},
      {"http://[fe80::1%eth0]", "host"},
      {"http://[127.0.0.1]", "host"},
      {"http://[::1\0]"s, "host"},
      {"http://::1", "host"},
      {"http://a:", "port"},
      {"http://a:0", "port"},
      {"http://a:65536", "port"},
      {"http://a:99999999999999999999", "port"},
      {"http://a:80x", "port"},
      {"http://a:+80", "port"},
      {"http://a:-1", "port"},
      {"http://a:80:90", "port"},
      {"http://a/b c", "path"},
      {"http://a/%", "path"},
      {"http://a/%4", "path"},
      {"http://a/%zz", "path"},
      {"http://a/\xc3\xa9", "path"},
      {"http://a/\n", "path"},
      {"http://a/\"", "path"},
      {"http://a/?x=1", "query"},
      {"http://a?x=1", "query"},
      {"http://a/#f", "fragment"},
      {"http://a/" + std::string(2048, 'p'), "longer"},
  };
  for (const auto& [written, reason] : rows) {
    CAPTURE(written);
    CHECK(refusal(written).find(reason) != std::string::npos);
  }
}

TEST_CASE("a refusal names the text but neither a password nor a signature nor a control character") {
  CHECK(refusal("ftp://some.host/x").find("ftp://some.host/x") != std::string::npos);
  const std::string with_password = refusal("https://alice:pa@ss@some.host/x");
  CHECK(with_password.find("some.host/x") != std::string::npos);
  CHECK(with_password.find("pa@ss") == std::string::npos);
  CHECK(with_password.find("alice") == std::string::npos);
  CHECK(refusal("user:secret@host").find("secret") == std::string::npos);
  CHECK(refusal("https://some.host/x?X-Amz-Signature=abcdef").find("abcdef") == std::string::npos);
  CHECK(refusal("https://a\x1b[31mb").find('\x1b') == std::string::npos);
  CHECK(refusal("ftp://" + std::string(5000, 'a')).size() < 400);
}
