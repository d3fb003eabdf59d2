#include "text/codecs.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "text/hex.hpp"

using namespace dynabackup;
using namespace std::string_literals;

namespace {

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

std::string json(std::string_view text) {
  std::string out;
  text::append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("hex writes two lower-case digits a byte") {
  CHECK(text::hex("") == "");
  CHECK(text::hex("\x00\x0f\xa0\xff"s) == "000fa0ff");
  std::string out = "0x";
  text::append_hex(out, "\x1e\xe1");
  CHECK(out == "0x1ee1");
}

TEST_CASE("base64 has the vectors of RFC 4648 section 10, both ways") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
      {"\xff\xef\xbe"s, "/+++"},
  };
  for (const auto& [bytes, encoded] : rows) {
    CHECK(text::base64(bytes) == encoded);
    CHECK(text::unbase64(encoded) == bytes);
  }
}

TEST_CASE("every byte string survives base64") {
  const std::string bytes = all_bytes();
  for (std::size_t length = 0; length <= bytes.size(); ++length)
    CHECK(text::unbase64(text::base64(bytes.substr(0, length))) == bytes.substr(0, length));
}

TEST_CASE("base64 that RFC 4648 does not write is refused") {
  for (const std::string row : {"Zg", "Zg=", "Zg===", "Z", "Zm9v\n", " Zm9", "Zm9-", "Zm9_",
                                "Zh==", "Zm9=", "====", "=", "A===", "Zg==Zg==", "Z=g=", "Zm9v=", "Zm\xc3\xa9"}) {
    CAPTURE(row);
    CHECK_FALSE(text::unbase64(row).has_value());
  }
  CHECK_FALSE(text::unbase64("Zm9\0"s).has_value());
}

TEST_CASE("percent_encode keeps exactly the unreserved set") {
  const std::string kept = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  for (const char c : all_bytes()) {
    const std::string one(1, c);
    if (kept.find(c) != std::string::npos)
      CHECK(text::percent_encode(one) == one);
    else
      CHECK(text::percent_encode(one).size() == 3);
  }
  CHECK(text::percent_encode("a b+c/d\xc3\xa9%*") == "a%20b%2Bc%2Fd%C3%A9%25%2A");
  CHECK(text::percent_encode("a b/c", true) == "a%20b/c");
  CHECK(text::percent_encode("\0\x0a\x7f\xff"s) == "%00%0A%7F%FF");
}

TEST_CASE("percent_decode undoes percent_encode and leaves malformed escapes alone") {
  CHECK(text::percent_decode(text::percent_encode(all_bytes())) == all_bytes());
  CHECK(text::percent_decode("%2f%2F%41") == "//A");
  for (const std::string row : {"%", "%4", "%zz", "%4g", "a%", "%%", "100%"}) CHECK(text::percent_decode(row) == row);
  CHECK(text::percent_decode("%%41") == "%A");
  CHECK(text::percent_decode("a+b%2Bc") == "a+b+c");
  CHECK(text::percent_decode("a+b%2Bc", true) == "a b+c");
}

TEST_CASE("valid_utf8 follows table 3-7 of the Unicode standard") {
  const std::vector<std::string> good = {"",
                                         "a\0b"s,
                                         "\xc2\x80",
                                         "\xdf\xbf",
                                         "\xe0\xa0\x80",
                                         "\xed\x9f\xbf",
                                         "\xee\x80\x80",
                                         "\xef\xbf\xbf",
                                         "\xf0\x90\x80\x80",
                                         "\xf4\x8f\xbf\xbf"};
  const std::vector<std::string> bad = {"\x80",
                                        "\xbf",
                                        "\xc0\x80",
                                        "\xc1\xbf",
                                        "\xc2",
                                        "\xc2\x7f",
                                        "\xc2\xc0",
                                        "\xe0\x9f\xbf",
                                        "\xe0\xa0",
                                        "\xed\xa0\x80",
                                        "\xed\xbf\xbf",
                                        "\xe1\x80\x7f",
                                        "\xe1",
                                        "\xe1\x7f\x80",
                                        "\xf0\x8f\xbf\xbf",
                                        "\xf0\x90\x80",
                                        "\xf4\x90\x80\x80",
                                        "\xf5\x80\x80\x80",
                                        "\xf8\x88\x80\x80\x80",
                                        "\xff",
                                        "\xfe",
                                        "\xf1\x80\x80\xc0",
                                        "\xf1\x80\x7f\x80"};
  // Around word boundaries the fast path for ASCII hands over to the slow one.
  for (std::size_t before = 0; before < 18; ++before) {
    for (const std::size_t after : {0, 3, 9}) {
      const std::string head(before, 'x');
      const std::string tail(after, 'y');
      for (const std::string& row : good) CHECK(text::valid_utf8(head + row + tail));
      for (const std::string& row : bad) CHECK_FALSE(text::valid_utf8(head + row + tail));
    }
  }
}

TEST_CASE("append_json_string escapes what RFC 8785 says and nothing else") {
  CHECK(json("") == "\"\"");
  CHECK(json("a/b\xe2\x82\xac\x7f<>&'") == "\"a/b\xe2\x82\xac\x7f<>&'\"");
  CHECK(json("\"\\") == R"("\"\\")");
  CHECK(json("\b\t\n\f\r") == R"("\b\t\n\f\r")");
  CHECK(json("\0\x01\x0b\x0e\x1f "s) == R"("\u0000\u0001\u000b\u000e\u001f ")");
  CHECK(json("x\ny\"z") == R"("x\ny\"z")");
  std::string out = "[";
  text::append_json_string(out, "a");
  CHECK(out == "[\"a\"");
}
