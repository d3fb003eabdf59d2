#include "archive/json_record.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using archive::record_reader;
using archive::record_writer;

namespace {

/// The message with which `read` is refused.
template <class Read>
std::string refusal(Read read) {
  try {
    read();
  } catch (const format_error& e) {
    return e.what();
  }
  return "(nothing was refused)";
}

record_reader reader(std::string_view body) { return {body, "record", 1000}; }

}  // namespace

TEST_CASE("a record is written a member a line, in the order given") {
  const auto text = record_writer()
                        .number("format", 1)
                        .text("quote", "a\"b\\c\n\x01")
                        .number("big", UINT64_MAX)
                        .flag("yes", true)
                        .flag("no", false)
                        .json("inner", record_writer().text("line", "1\n2").finish())
                        .finish();
  CHECK(text == R"({
  "format": 1,
  "quote": "a\"b\\c\n\u0001",
  "big": 18446744073709551615,
  "yes": true,
  "no": false,
  "inner": {
    "line": "1\n2"
  }
}
)");
  const auto record = reader(text);
  CHECK(record.text("quote") == "a\"b\\c\n\x01");
  CHECK(record.number("big") == UINT64_MAX);
  CHECK(record.flag("yes"));
  CHECK_FALSE(record.flag("no"));
  CHECK(record.record("inner")->text("line") == "1\n2");
}

TEST_CASE("only one whole JSON object is a record") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"", "record: not a JSON document"},
      {"  ", "record: not a JSON document"},
      {"{", "record: not a JSON document"},
      {"[]", "record: not a JSON object"},
      {"1", "record: not a JSON object"},
      {"{} {}", "record: not a JSON document"},
      {"{}x", "record: not a JSON document"},
      {"{\"a\":1,}", "record: not a JSON document"},
      {"{\"a\":18446744073709551616}", "record: not a JSON document"},
      {"{\"a\":\"\xff\"}", "record: not a JSON document"},
      {"{\"a\":\"\\ud800\"}", "record: not a JSON document"},
  };
  for (const auto& [body, message] : rows) {
    CAPTURE(body);
    CHECK(refusal([&] { reader(body); }).starts_with(message));
  }
  CHECK_NOTHROW(reader(" {} \n"));
}

TEST_CASE("a record larger than its limit is refused unread") {
  const std::string body = R"({"a":")" + std::string(1000, 'x') + R"("})";
  CHECK(refusal([&] { reader(body); }) == "record: 1008 bytes are more than the 1000 it may have");
}

TEST_CASE("nesting without end is an error, not a crash") {
  const std::string body = R"({"a":)" + std::string(1'000'000, '[');
  CHECK_THROWS_AS(record_reader(body, "record", 10'000'000), format_error);
}

TEST_CASE("format 1 is read, a newer one asks for an update") {
  CHECK_NOTHROW(reader(R"({"format":1})").expect_format());
  CHECK(refusal([] { reader(R"({"format":2,"other":[]})").expect_format(); }) ==
        "record: format 2 was written by a newer version of dynabackup, this one reads format 1: update");
  CHECK(refusal([] { reader(R"({"format":0})").expect_format(); }) == "record: format 0 does not exist");
  CHECK(refusal([] { reader(R"({"format":"1"})").expect_format(); }).starts_with("record: member format is not"));
  CHECK(refusal([] { reader(R"({"format":-1})").expect_format(); }).starts_with("record: member format is not"));
  CHECK(refusal([] { reader(R"({"format":1.0})").expect_format(); }).starts_with("record: member format is not"));
  CHECK(refusal([] { reader(R"({})").expect_format(); }) == "record: member format is missing");
}

TEST_CASE("a member of another type is refused by name") {
  const auto record = reader(R"({"s":"x","n":7,"b":true,"z":null,"a":[1],"o":{"n":-1}})");
  CHECK(refusal([&] { record.text("n"); }) == "record: member n is not a string");
  CHECK(refusal([&] { record.text("z"); }) == "record: member z is not a string");
  CHECK(refusal([&] { record.text("none"); }) == "record: member none is missing");
  CHECK(refusal([&] { record.number("s"); }) == "record: member s is not a whole number from 0 to 2^64-1");
  CHECK(refusal([&] { record.flag("n"); }) == "record: member n is not true or false");
  CHECK(refusal([&] { record.record("a"); }) == "record: member a is not an object");
  CHECK(refusal([&] { record.records("o", 2); }) == "record: member o is not an array");
  CHECK(refusal([&] { record.records("a", 2); }) == "record: member a has an element that is not an object");
  CHECK(refusal([&] { record.record("o")->number("n"); }) ==
        "record, o: member n is not a whole number from 0 to 2^64-1");
  CHECK_FALSE(record.record("z").has_value());
}

TEST_CASE("a moment is RFC 3339, or empty where that is allowed") {
  const auto record = reader(R"({"t":"2026-11-22T11:45:03Z","e":"","x":"yesterday"})");
  CHECK(record.moment("t", false) == "2026-11-22T11:45:03Z");
  CHECK(record.moment("e", true).empty());
  CHECK(refusal([&] { record.moment("e", false); }) == "record: member e is not an RFC 3339 time");
  CHECK(refusal([&] { record.moment("x", true); }) == "record: member x is not an RFC 3339 time");
}

TEST_CASE("an array of objects is bounded") {
  const auto record = reader(R"({"a":[{"n":1},{"n":2}]})");
  const auto found = record.records("a", 2);
  REQUIRE(found.size() == 2);
  CHECK(found[1].number("n") == 2);
  CHECK(refusal([&] { record.records("a", 1); }) == "record: member a has more than 1 elements");
}

TEST_CASE("rows are whole numbers of one width") {
  const auto record =
      reader(R"({"r":[[1,2],[3,4]],"e":[],"short":[[1,2],[3]],"text":[[1,"2"]],"flat":[1],"neg":[[0,-1]]})");
  CHECK(record.rows("r", 2) == std::vector<std::uint64_t>{1, 2, 3, 4});
  CHECK(record.rows("e", 2).empty());
  CHECK(refusal([&] { record.rows("short", 2); }) == "record: member short, row 1: not 2 whole numbers");
  for (const auto* member : {"text", "flat", "neg"}) {
    CAPTURE(std::string(member));
    CHECK_THROWS_AS(record.rows(member, 2), format_error);
  }
}
