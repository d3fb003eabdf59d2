#include "archive/gap.hpp"

#include <doctest/doctest.h>

#include "archive/json_record.hpp"
#include "dynabackup/error.hpp"

using namespace dynabackup;

namespace {

const std::string stream = "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-03-01T00:00:00.000";

}  // namespace

TEST_CASE("a gap is read as it was written") {
  const archive::gap g{1, stream, "shard-1", "10", "20", "2026-11-22T11:45:03Z", "", "trimmed"};
  const archive::gap back = archive::read_gap(archive::write_gap(g));
  CHECK(back.stream == g.stream);
  CHECK(back.shard == g.shard);
  CHECK(back.from_sequence == "10");
  CHECK(back.to_sequence == "20");
  CHECK(back.from == g.from);
  CHECK(back.to.empty());
  CHECK(back.reason == "trimmed");
  CHECK_THROWS_AS(archive::read_gap("{}"), format_error);
  CHECK_THROWS_AS(archive::read_gap(R"({"format":2})"), format_error);
}

TEST_CASE("a dead letter holds the record as JSON, or in base64 where it is none; the same bytes each time") {
  archive::dead_letter d{stream, "12", "2026-11-22T11:45:03Z", "why", R"({"a":1})"};
  CHECK(archive::write_dead_letter(d) == archive::write_dead_letter(d));
  CHECK(archive::write_dead_letter(d).find(R"("record": {"a":1})") != std::string::npos);
  for (const char* broken : {"{]", "{\"a\":\"\xff\"}", "", "{} {}"}) {
    d.record = broken;
    const archive::record_reader letter(archive::write_dead_letter(d), "dead letter", 10'000);
    letter.expect_format();
    CHECK(letter.text("sequence_number") == "12");
    CHECK_NOTHROW((void)letter.text("record_base64"));
  }
}

TEST_CASE("names come from the change alone and are harmless as keys") {
  CHECK(archive::name_of_change("2026-03-01T00:00:00.000", "12", "x") == "2026-03-01T00-00-00.000-12");
  const std::string unnumbered = archive::name_of_change("2026-03-01T00:00:00.000", "", "x");
  CHECK(unnumbered == "2026-03-01T00-00-00.000-2d711642b726b04401627ca9fbac32f5");
  CHECK(archive::gap_key({"b", "p/"}, "n") == "p/.dynabackup/gaps/n.json");
  CHECK(archive::dead_letter_key({"b", ""}, "n") == ".dynabackup/dead-letter/n.json");
}
