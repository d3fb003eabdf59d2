#include "apps/configuration/config_file.hpp"

#include <cstdio>
#include <cstdlib>
#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

#include "unit/apps_configuration/surroundings.hpp"

namespace dynabackup::apps {
namespace {

const words some_variables{{"REGION", "eu-west-1"}, {"EMPTY", ""}};

/// "key=value" of every scalar, in order; "key=?" where the value is left alone.
std::vector<std::string> scalars(std::string_view text) {
  std::vector<std::string> out;
  for (const config_entry& entry : parse_config("f.conf", text, variables_of(some_variables)))
    if (!entry.block) out.push_back(entry.key + "=" + entry.value.value_or("?"));
  return out;
}

using lines = std::vector<std::string>;

struct good_row {
  std::string what;
  std::string text;
  lines expected;
};

const std::vector<good_row> good_rows{
    {"nothing", "", {}},
    {"blank lines and comments", "\n  # a\n// b\n\t\n", {}},
    {"a dotted key", "s3.incremental.bucket = x", {"s3.incremental.bucket=x"}},
    {"a colon", "a: x", {"a=x"}},
    {"a block without a sign", "a { b = 1 }", {"a.b=1"}},
    {"a block with =", "a = { b = 1 }", {"a.b=1"}},
    {"a block with :", "a : { b : 1 }", {"a.b=1"}},
    {"a block on the next line", "a\n{\n b = 1\n}", {"a.b=1"}},
    {"a block on the line after the sign", "a =\n# why\n{ b = 1 }", {"a.b=1"}},
    {"dotted keys in a block", "a.b { c.d = 1 }", {"a.b.c.d=1"}},
    {"an empty block", "a { }", {}},
    {"commas", "a = 1, b = 2", {"a=1", "b=2"}},
    {"a comma at the end of a line", "a = 1,\nb = 2,\n", {"a=1", "b=2"}},
    {"a comma at the start of a line", "a = 1\n, b = 2", {"a=1", "b=2"}},
    {"commas in a block", "a { b = 1, c = 2, }", {"a.b=1", "a.c=2"}},
    {"the same key twice", "a = 1\na = 2", {"a=1", "a=2"}},
    {"a comment after a value", "a = 1 # one\nb = 2 // two", {"a=1", "b=2"}},
    {"a comment touching a value", "a = 1#one\nb = 2//two", {"a=1", "b=2"}},
    {"spaces and tabs around", " \ta\t = \t1 \t\n", {"a=1"}},
    {"no spaces", "a{b=1}", {"a.b=1"}},
    {"carriage returns", "a = 1\r\nb {\r\n c = 2\r\n}\r\n", {"a=1", "b.c=2"}},
    {"a byte order mark",
     "\xEF\xBB\xBF"
     "a = 1",
     {"a=1"}},
    {"a quoted value", "a = \"x y {table} # no // comment , = }\"", {"a=x y {table} # no // comment , = }"}},
    {"an empty quoted value", "a = \"\"", {"a="}},
    {"a quoted value before a comma", "a = \"x\", b = \"y\"", {"a=x", "b=y"}},
    {"escapes", R"(a = "\"\\\/\b\f\n\r\t\u0041\u00e4\u20AC")", {"a=\"\\/\b\f\n\r\tA\u00e4\u20AC"}},
    {"a surrogate pair", R"(a = "\uD83D\uDE00")", {"a=\U0001F600"}},
    {"a quoted key", "\"a\".\"b-c\" = 1", {"a.b-c=1"}},
    {"a dot in a quoted key", "\"a.b\" = 1", {"\"a.b\"=1"}},
    {"a bare value with slash, dot, dash", "a = x/y.z-1_2", {"a=x/y.z-1_2"}},
    {"a bare value that is not ASCII", "a = gr\u00fcn", {"a=gr\u00fcn"}},
    {"a variable", "a = ${?REGION}", {"a=eu-west-1"}},
    {"a variable that is not set", "a = 1\na = ${?NOBODY}", {"a=1", "a=?"}},
    {"a variable that is empty", "a = ${?EMPTY}", {"a=?"}},
    {"a variable in quotes is text", "a = \"${?REGION}\"", {"a=${?REGION}"}},
    {"a variable in a block", "a { b = ${?REGION} }", {"a.b=eu-west-1"}},
};

struct bad_row {
  std::string what;
  std::string text;
  std::string message;
};

const std::vector<bad_row> bad_rows{
    {"a list", "a = [1]", "f.conf:1:5: a: lists are not supported"},
    {"+=", "a += 1", "f.conf:1:3: a: '+=' is not supported"},
    {"an include", "x = 1\ninclude \"other.conf\"", "f.conf:2:1: include: include is not supported"},
    {"triple quotes", "a = \"\"\"x\"\"\"", "f.conf:1:5: a: triple quotes are not supported"},
    {"a required variable", "a = ${REGION}",
     "f.conf:1:5: a: only ${?NAME} is supported, which leaves the setting alone when NAME is unset"},
    {"a path in a variable", "a = ${?b.c}", "f.conf:1:5: a: ${?NAME} takes the name of an environment variable"},
    {"a variable never closed", "a = ${?REGION", "f.conf:1:5: a: ${?NAME} takes the name of an environment variable"},
    {"no variable name", "a = ${?}", "f.conf:1:5: a: ${?NAME} takes the name of an environment variable"},
    {"a lone dollar", "a = $5", "f.conf:1:5: a: a value that holds '$' goes in quotes"},
    {"text after a variable", "a = ${?REGION}x",
     "f.conf:1:15: a: 'x' after the value; a value that is more than one word goes in quotes"},
    {"text before a variable", "a = x${?REGION}", "f.conf:1:6: a: a value that holds '$' goes in quotes"},
    {"two strings", "a = \"x\"\"y\"", "f.conf:1:8: a: joining values is not supported"},
    {"two strings apart", "a = \"x\" \"y\"",
     "f.conf:1:9: a: '\"' after the value; a value that is more than one word goes in quotes"},
    {"two words", "a = x y", "f.conf:1:7: a: 'y' after the value; a value that is more than one word goes in quotes"},
    {"a URL without quotes", "s3 {\n  endpoint = http://localhost:9000\n}",
     "f.conf:2:18: s3.endpoint: a value that holds ':' goes in quotes"},
    {"braces without quotes", "a = x/{table}", "f.conf:1:7: a: a value that holds '{' goes in quotes"},
    {"only {table} without quotes", "a = {table}", "f.conf:1:5: a: a value that holds {table} goes in quotes"},
    {"no value before the end", "a =", "f.conf:1:4: a: has no value"},
    {"no value on the line", "a =\nb = 1", "f.conf:1:4: a: has no value"},
    {"a comment for a value", "a = # later\n", "f.conf:1:4: a: has no value"},
    {"a comma for a value", "a = ,", "f.conf:1:5: a: has no value"},
    {"a brace for a value", "a { b = }", "f.conf:1:9: a.b: has no value"},
    {"a key alone", "alone", "f.conf:1:6: alone: '=', ':' or '{' expected after the key"},
    {"a key alone on its line", "alone\nb = 1", "f.conf:1:6: alone: '=', ':' or '{' expected after the key"},
    {"two keys", "a b = 1", "f.conf:1:3: a: '=', ':' or '{' expected after the key, not 'b'"},
    {"no key", "= 1", "f.conf:1:1: a key expected, not '='"},
    {"a dot before the key", ".a = 1", "f.conf:1:1: a key expected, not '.'"},
    {"a dot behind the key", "a. = 1", "f.conf:1:3: a key expected, not ' '"},
    {"two dots", "a..b = 1", "f.conf:1:3: a key expected, not '.'"},
    {"two commas", "a = 1,, b = 2", "f.conf:1:7: a key expected, not ','"},
    {"a comma at the start", ", a = 1", "f.conf:1:1: a key expected, not ','"},
    {"braces around all", "{ a = 1 }", "f.conf:1:1: '{' without a key before it"},
    {"a brace too many", "a { b = 1 }\n}", "f.conf:2:1: '}' without a '{' before it"},
    {"a brace too few", "x = 1\na {\n  b = 1\n", "f.conf:2:3: a: this '{' is never closed"},
    {"an inner brace too few", "a {\n  b {\n    c = 1\n}\n", "f.conf:1:3: a: this '{' is never closed"},
    {"text after a block", "a { } b = 1",
     "f.conf:1:7: a: 'b' after the value; a value that is more than one word goes in quotes"},
    {"a string never closed", "a = \"x", "f.conf:1:5: a: this '\"' is never closed"},
    {"a string over the end of a line", "a = \"x\ny\"", "f.conf:1:5: a: this '\"' is never closed"},
    {"a backslash at the end", "a = \"x\\",
     "f.conf:1:7: a: unknown escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are known"},
    {"an unknown escape", "a = \"\\x\"",
     "f.conf:1:6: a: unknown escape; \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX are known"},
    {"a short \\u", "a = \"\\u12\"", "f.conf:1:6: a: \\u takes four hex digits"},
    {"\\u0000", "a = \"\\u0000\"", "f.conf:1:6: a: \\u0000 is not supported"},
    {"a high surrogate alone", "a = \"\\uD83Dx\"", "f.conf:1:6: a: half of a surrogate pair"},
    {"a low surrogate alone", "a = \"\\uDE00\"", "f.conf:1:6: a: half of a surrogate pair"},
    {"two high surrogates", "a = \"\\uD83D\\uD83D\"", "f.conf:1:6: a: half of a surrogate pair"},
    {"a tab in a string", "a = \"x\ty\"", "f.conf:1:7: a: control characters in a string are written as \\u00XX"},
    {"a NUL in a value", std::string("a = x\0y", 7),
     "f.conf:1:6: a: a value that holds the character 0x00 goes in quotes"},
    {"a NUL for a key", std::string("\0", 1), "f.conf:1:1: a key expected, not the character 0x00"},
    {"columns count characters", "a = \u00fc\u00fc b",
     "f.conf:1:8: a: 'b' after the value; a value that is more than one word goes in quotes"},
    {"columns count from behind the byte order mark",
     "\xEF\xBB\xBF"
     "= 1",
     "f.conf:1:1: a key expected, not '='"},
    {"lines count with carriage returns", "a = 1\r\n= 2", "f.conf:2:1: a key expected, not '='"},
};

TEST_CASE("what the configuration file may hold") {
  for (const good_row& row : good_rows) {
    CAPTURE(row.what);
    CHECK(scalars(row.text) == row.expected);
  }
}

TEST_CASE("an error names file, line, column and key") {
  for (const bad_row& row : bad_rows) {
    CAPTURE(row.what);
    CHECK(complaint([&] { scalars(row.text); }) == row.message);
  }
}

TEST_CASE("keys, blocks and values know where they stand") {
  const auto entries = parse_config("f.conf", "a {\n  b.c = 1\n}\nd = \"x\"", variables_of({}));
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].block);
  CHECK(entries[0].key == "a");
  CHECK(entries[0].key_at == file_position{1, 1});
  CHECK(entries[0].value_at == file_position{1, 3});
  CHECK(entries[1].key == "a.b.c");
  CHECK(entries[1].key_at == file_position{2, 3});
  CHECK(entries[1].value_at == file_position{2, 9});
  CHECK(entries[2].value_at == file_position{4, 5});
}

TEST_CASE("depth, key length and size are bounded") {
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += "a{";
  CHECK(complaint([&] { scalars(deep); }).ends_with("blocks are nested too deeply"));
  CHECK(complaint([&] { scalars(std::string(100'000, 'k') + " = 1"); }).ends_with("this key is too long"));
  CHECK(complaint([&] { scalars(std::string(max_config_bytes + 1, ' ')); }) ==
        "f.conf: a configuration file has at most 1 MiB");
  CHECK(scalars(std::string(max_config_bytes, ' ')).empty());
}

TEST_CASE("a file that cannot be read is refused by name") {
  CHECK(complaint([] { read_config("/nowhere/backup.conf"); }) ==
        "/nowhere/backup.conf: the configuration file cannot be read: No such file or directory");
  CHECK(complaint([] { read_config("/"); }) == "/: the configuration file cannot be read: Is a directory");
  CHECK(complaint([] { read_config("/dev/zero"); }) ==
        "/dev/zero: the configuration file cannot be read: it has more than 1 MiB");
  CHECK(read_config("/dev/null").empty());
}

}  // namespace
}  // namespace dynabackup::apps
