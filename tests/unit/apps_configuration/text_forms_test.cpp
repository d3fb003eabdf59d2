#include "apps/configuration/text_forms.hpp"

#include <array>
#include <doctest/doctest.h>
#include <string>
#include <string_view>

#include "apps/configuration/spelling.hpp"

namespace dynabackup::apps {
namespace {

TEST_CASE("numbers are grouped by thousands") {
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1'000) == "1,000");
  CHECK(grouped(123'456) == "123,456");
  CHECK(grouped(UINT64_MAX) == "18,446,744,073,709,551,615");
}

TEST_CASE("sizes take the unit that suits them") {
  CHECK(size_text(0) == "0 B");
  CHECK(size_text(999) == "999 B");
  CHECK(size_text(1'000) == "1.0 kB");
  CHECK(size_text(999'949) == "999.9 kB");
  CHECK(size_text(999'950) == "1.0 MB");
  CHECK(size_text(1'500'000'000) == "1.5 GB");
  CHECK(size_text(UINT64_MAX) == "18.4 EB");
}

TEST_CASE("durations") {
  using std::chrono::seconds;
  CHECK(duration_text(seconds{0}) == "0:00");
  CHECK(duration_text(seconds{59}) == "0:59");
  CHECK(duration_text(seconds{3'599}) == "59:59");
  CHECK(duration_text(seconds{3'600}) == "1:00:00");
  CHECK(duration_text(seconds{360'000}) == "100:00:00");
  CHECK(duration_text(seconds{-5}) == "0:00");
}

TEST_CASE("what a terminal would obey is not printed") {
  CHECK(printable("plain gr\u00fcn \U0001F600") == "plain gr\u00fcn \U0001F600");
  CHECK(printable("a\x1b[2J\r\n\x7f") == "a?[2J???");
  CHECK(printable("\xC2\x9B"
                  "31m") == "?31m");
  CHECK(printable("\xff\xC3") == "??");
  CHECK(in_quotes("x") == "'x'");
  CHECK(in_quotes(std::string(81, 'x')) == "'" + std::string(80, 'x') + "…'");
  CHECK(in_quotes(std::string(79, 'x') + "\u00fcx") == "'" + std::string(79, 'x') + "…'");
}

TEST_CASE("JSON strings") {
  CHECK(json_quoted("") == "\"\"");
  CHECK(json_quoted("a\"b\\c/\n\t") == R"("a\"b\\c/\n\t")");
  CHECK(json_quoted(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(json_quoted("\u00fc\u20ac\U0001F600") == "\"\u00fc\u20ac\U0001F600\"");
  // No UTF-8: a lone byte, an overlong slash, a surrogate, beyond U+10FFFF, a cut sequence.
  CHECK(json_quoted("\xff") == "\"\uFFFD\"");
  CHECK(json_quoted("\xC0\xAF") == "\"\uFFFD\uFFFD\"");
  CHECK(json_quoted("\xED\xA0\x80") == "\"\uFFFD\uFFFD\uFFFD\"");
  CHECK(json_quoted("\xF4\x90\x80\x80") == "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
  CHECK(json_quoted("\xE2\x82") == "\"\uFFFD\uFFFD\"");
}

TEST_CASE("the nearest word is near") {
  constexpr std::array<std::string_view, 3> known{"backfill", "snapshot", "restore"};
  CHECK(nearest_word("bakfill", known) == "backfill");
  CHECK(nearest_word("snapshto", known) == "snapshot");
  CHECK(nearest_word("restor", known) == "restore");
  CHECK(nearest_word("elsewhere", known) == "");
  CHECK(nearest_word("", known) == "");
  CHECK(nearest_word(std::string(100'000, 'x'), known) == "");
}

}  // namespace
}  // namespace dynabackup::apps
