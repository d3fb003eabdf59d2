#include "apps/cli/columns.hpp"

#include <doctest/doctest.h>
#include <string>

namespace dynabackup::cli {
namespace {

using lines = std::vector<std::string>;

TEST_CASE("columns of wide, combining and ordinary characters") {
  CHECK(columns_of("") == 0);
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("äöü") == 3);
  CHECK(columns_of("日本") == 4);
  CHECK(columns_of("e\u0301") == 1);
  CHECK(columns_of("🎉") == 2);
}

TEST_CASE("characters that a terminal would obey, or nobody sees, are spelled out") {
  CHECK(visible("plain ä 日 \\n") == "plain ä 日 \\n");
  CHECK(visible("\x7f\u0085\u009b31m") == "\\u007f\\u0085\\u009b31m");
  CHECK(visible("a\u202Eb\u2066\u2028\uFEFF\u00AD") == "a\\u202eb\\u2066\\u2028\\ufeff\\u00ad");
}

TEST_CASE("a text is cut between characters, not within an escape") {
  CHECK(head_of("abc", 3) == "abc");
  CHECK(head_of("abc", 2) == "ab");
  CHECK(head_of("aä", 2) == "a");
  CHECK(head_of("a\\n", 2) == "a");
  CHECK(head_of("\\u001f", 5) == "");
  CHECK(head_of("\\\\\\\"x", 4) == "\\\\\\\"");
  CHECK(characters_in("a\\nä\\u001f日") == 5);
}

TEST_CASE("lines end at spaces where they can, and hold all of the text") {
  CHECK(wrapped("", 10) == lines{""});
  CHECK(wrapped("one two three", 20) == lines{"one two three"});
  CHECK(wrapped("one two three", 8) == lines{"one two", "three"});
  CHECK(wrapped("one two three", 7) == lines{"one two", "three"});
  CHECK(wrapped("aaaaaaaaaa", 4) == lines{"aaaa", "aaaa", "aa"});
  CHECK(wrapped("a aaaaaaaaa", 6) == lines{"a aaaa", "aaaaa"});
  CHECK(wrapped("one    three", 5) == lines{"one  ", "  thr", "ee"});
  CHECK(wrapped("abc      ", 4) == lines{"abc ", "    ", " "});
  CHECK(wrapped("日本語", 4) == lines{"日本", "語"});
  CHECK(wrapped("日本", 1) == lines{"日", "本"});
}

}  // namespace
}  // namespace dynabackup::cli
