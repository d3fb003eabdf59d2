#include "archive/line_splitter.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <vector>

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"

using namespace dynabackup;
using archive::line_splitter;

namespace {

using lines = std::vector<std::string>;

lines split(std::string_view text, std::size_t chunk) {
  line_splitter splitter;
  lines found;
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) {
    splitter.feed(text.substr(0, chunk));
    while (const auto line = splitter.next()) found.emplace_back(*line);
  }
  while (const auto line = splitter.finish()) found.emplace_back(*line);
  CHECK(splitter.buffered() == 0);
  return found;
}

}  // namespace

TEST_CASE("chunks of any size give the same lines") {
  const std::pair<std::string_view, lines> rows[] = {
      {"", {}},
      {"\n", {""}},
      {"a\n", {"a"}},
      {"a", {"a"}},
      {"a\nb", {"a", "b"}},
      {"a\r\nb\r\n", {"a", "b"}},
      {"a\r", {"a"}},
      {"a\rb\n", {"a\rb"}},
      {"a\r\r\n", {"a\r"}},
      {"\r\n\r\n", {"", ""}},
      {"\n\n\na\n\n", {"", "", "", "a", ""}},
      {"one\ntwo two\n\nthree three three\r\nfour", {"one", "two two", "", "three three three", "four"}},
      {std::string_view("a\0b\n", 4), {std::string("a\0b", 3)}},
  };
  for (const auto& [text, expected] : rows) {
    for (std::size_t chunk = 1; chunk <= text.size() + 1; ++chunk) {
      CAPTURE(text);
      CAPTURE(chunk);
      CHECK(split(text, chunk) == expected);
    }
  }
}

TEST_CASE("many lines come through chunks that cut them anywhere") {
  std::string text;
  lines expected;
  for (std::size_t i = 0; i < 300; ++i) {
    expected.emplace_back(i * 7 % 50, static_cast<char>('a' + i % 26));
    text += expected.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  for (std::size_t chunk = 1; chunk <= text.size(); chunk += chunk < 120 ? 1 : 501) {
    CAPTURE(chunk);
    REQUIRE(split(text, chunk) == expected);
  }
}

TEST_CASE("a line has readable padding behind it") {
  line_splitter splitter;
  for (int i = 0; i < 1000; ++i) {
    splitter.feed("{\"a\":1}\n{\"b\"");
    while (const auto line = splitter.next()) {
      std::string behind(line->data(), line->size() + response::body_padding);  // a sanitizer would complain
      REQUIRE(behind.starts_with(*line));
    }
  }
  const auto last = splitter.finish();
  REQUIRE(last == "{\"b\"");
  const std::string behind(last->data(), last->size() + response::body_padding);
  CHECK(behind.starts_with("{\"b\""));
}

TEST_CASE("a line may be as long as the limit and no longer, whatever the chunks") {
  const std::string longest(line_splitter::max_line_bytes, 'x');
  for (const std::size_t chunk : {std::size_t{65'536}, std::size_t{1'000'003}, std::size_t{100} << 20}) {
    CAPTURE(chunk);
    CHECK(split(longest + "\nb", chunk) == lines{longest, "b"});
    CHECK(split(longest + "\r\nb", chunk) == lines{longest, "b"});
    CHECK(split(longest, chunk) == lines{longest});
    for (const auto* tail : {"x\n", "x", "x\r\n", "\r\r\n", "\rx"}) {
      CAPTURE(std::string(tail));
      CHECK_THROWS_WITH_AS(split("a\n" + longest + tail, chunk), "a line of more than 16 MiB", format_error);
    }
  }
}

TEST_CASE("a line without end is refused before it fills the memory") {
  line_splitter splitter;
  const std::string chunk(std::size_t{1} << 20, 'x');
  std::size_t fed = 0;
  const auto feed_on = [&] {
    for (; fed < 100; ++fed) {
      splitter.feed(chunk);
      splitter.next();
    }
  };
  CHECK_THROWS_AS(feed_on(), format_error);
  CHECK(fed == line_splitter::max_line_bytes >> 20);
}

TEST_CASE("the buffer holds little more than what has not been taken") {
  line_splitter splitter;
  const std::string chunk = std::string(900, 'x') + "\n" + std::string(99, 'y');
  for (int i = 0; i < 100'000; ++i) {
    splitter.feed(chunk);
    while (splitter.next()) {
    }
    REQUIRE(splitter.buffered() == 99);
  }
  CHECK(splitter.capacity() < 10'000);
}

TEST_CASE("a long line in small chunks costs linear time") {
  // 16 MiB in chunks of 256 bytes: were every chunk to search or move all that is buffered, this took half a minute.
  line_splitter splitter;
  const std::string chunk(256, 'x');
  const auto start = std::chrono::steady_clock::now();
  for (int round = 0; round < 2; ++round) {
    for (std::size_t n = 0; n < line_splitter::max_line_bytes; n += chunk.size()) {
      splitter.feed(chunk);
      REQUIRE_FALSE(splitter.next().has_value());
    }
    splitter.feed("\nrest");
    REQUIRE(splitter.next()->size() == line_splitter::max_line_bytes);
    splitter.feed("\n");
    REQUIRE(splitter.next() == "rest");
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}
