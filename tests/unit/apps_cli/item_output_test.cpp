#include "apps/cli/item_output.hpp"

#include <algorithm>
#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>

#include "apps/cli/report_output.hpp"
#include "archive/item_difference.hpp"

namespace dynabackup::cli {
namespace {

const item_subject which{"users", R"({"id":{"S":"x"}})", "s3://b/p/" + std::string(64, 'a'), ""};

item_version stream_version() {
  item_version v;
  v.version_id = "v2";
  v.arrived = "2026-11-22T11:45:03Z";
  v.by = item_version::origin::stream;
  v.changed_at = "2026-11-22T11:45:01.250Z";
  v.sequence_number = "49590338271490256608559692538361571095921575989136588898";
  v.stream = "2026-03-01T00:00:00.000";
  v.current = true;
  v.item = R"({"id":{"S":"x"},"m":{"M":{"a\"b":{"L":[{"N":"2"}]}}},"s":{"SS":["b"]}})";
  v.changes = archive::differences(R"({"id":{"S":"x"},"m":{"M":{"a\"b":{"L":[{"N":"1"}]}}},"s":{"SS":["a"]}})", v.item);
  return v;
}

item_version first_version() {
  item_version v;
  v.version_id = "v1";
  v.arrived = "2026-11-22T11:40:00Z";
  v.by = item_version::origin::backfill;
  v.run = "20261122T113000Z-0badcafe";
  v.item = R"({"id":{"S":"x"}})";
  v.oldest = true;
  v.changes = archive::differences("", v.item);
  return v;
}

item_version deletion() {
  item_version v;
  v.version_id = "v3";
  v.arrived = "2026-11-22T11:46:00Z";
  v.by = item_version::origin::deletion;
  v.changes.emplace();
  return v;
}

struct page {
  std::string text;
  result_sink sink() {
    return [this](std::string_view piece) { text += piece; };
  }
};

simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& text) { return parser.parse(text); }

TEST_CASE("a history as text") {
  page p;
  const auto out = item_output_as_text(p.sink(), false);
  CHECK_FALSE(out->begun());
  out->subject(which);
  CHECK(out->begun());
  out->version(stream_version());
  out->version(first_version());
  out->finish();
  CHECK(p.text == R"(users {"id":{"S":"x"}}
s3://b/p/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa

2026-11-22T11:45:03Z  put by the stream, current
    changed at 2026-11-22T11:45:01.250Z
    sequence number 49590338271490256608559692538361571095921575989136588898
    stream 2026-03-01T00:00:00.000, version v2
  ~ m
      ~ "a\"b"
          ~ [0]  1 -> 2
  ~ s  added "b"
       removed "a"

2026-11-22T11:40:00Z  put by a backfill, the oldest version in the bucket
    run 20261122T113000Z-0badcafe, version v1
  + id  "x"

2 versions
)");
}

TEST_CASE("versions without difference, unreadable ones and those that cannot be compared say so") {
  page p;
  const auto out = item_output_as_text(p.sink(), false);
  out->subject(which);
  out->version(deletion());
  item_version same = first_version();
  same.changes.emplace();
  same.oldest = false;
  out->version(same);
  item_version lonely = first_version();
  lonely.changes.reset();
  out->version(lonely);
  item_version damaged = stream_version();
  damaged.item.clear();
  damaged.problem = "it is damaged\x1b[2J";
  out->version(damaged);
  CHECK(p.text.find("deleted\n    version v3\n    there was no item before\n") != std::string::npos);
  CHECK(p.text.find("    no difference to the version before\n") != std::string::npos);
  CHECK(p.text.find("    not compared: the version before cannot be read\n") != std::string::npos);
  CHECK(p.text.find("    cannot be read: it is damaged?[2J\n") != std::string::npos);
}

TEST_CASE("one item as text") {
  page p;
  const auto out = item_output_as_text(p.sink(), true);
  item_subject then = which;
  then.at = "2026-11-22T11:41:00Z";
  out->subject(then);
  out->version(first_version());
  out->finish();
  CHECK(p.text == R"(users {"id":{"S":"x"}}
s3://b/p/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
as it was at 2026-11-22T11:41:00Z

2026-11-22T11:40:00Z  put by a backfill
    run 20261122T113000Z-0badcafe, version v1

    id  "x"
)");
}

TEST_CASE("that there is no version is an answer") {
  for (const bool one : {false, true}) {
    page p;
    const auto out = item_output_as_text(p.sink(), one);
    out->subject(which);
    out->finish();
    CHECK(p.text.find("The bucket has no version of it: nothing was ever recorded") != std::string::npos);
  }
}

TEST_CASE("as JSON, the run's object begins with key, moment and versions, each on a line of its own") {
  page p;
  const auto out = item_output_as_json(p.sink());
  out->subject(which);
  out->version(deletion());
  out->version(stream_version());
  out->version(first_version());
  out->finish();
  const std::string text = p.text + result_members(run_result{}) + "}\n";
  simdjson::dom::parser parser;
  const auto root = parsed(parser, text);
  CHECK(root.at_pointer("/key/id/S").get_string().value() == "x");
  CHECK(root["at"].value().is_null());
  CHECK(root.at_pointer("/exit_code").get_uint64().value() == 0);
  CHECK(root["versions"].get_array().value().size() == 3);
  CHECK(root.at_pointer("/versions/0/by").get_string().value() == "delete");
  CHECK(root.at_pointer("/versions/0/item").value().is_null());
  CHECK(root.at_pointer("/versions/1/sequence_number").get_string().value() == stream_version().sequence_number);
  CHECK(root.at_pointer("/versions/1/current").get_bool().value());
  CHECK(root.at_pointer("/versions/1/item/s/SS/0").get_string().value() == "b");
  CHECK(root.at_pointer("/versions/1/changes/0/path/0").get_string().value() == "m");
  CHECK(root.at_pointer("/versions/1/changes/0/path/1").get_string().value() == "a\"b");
  CHECK(root.at_pointer("/versions/1/changes/0/path/2").get_uint64().value() == 0);
  CHECK(root.at_pointer("/versions/1/changes/0/change").get_string().value() == "replaced");
  CHECK(root.at_pointer("/versions/1/changes/0/before/N").get_string().value() == "1");
  CHECK(root.at_pointer("/versions/1/changes/0/after/N").get_string().value() == "2");
  CHECK(root.at_pointer("/versions/1/changes/1/change").get_string().value() == "elements");
  CHECK(root.at_pointer("/versions/2/changes/0/before").value().is_null());
  CHECK(root.at_pointer("/versions/2/run").get_string().value() == "20261122T113000Z-0badcafe");

  std::size_t lines = 0;
  for (std::size_t at = 0; at < p.text.size();) {
    const std::size_t end = std::min(p.text.find('\n', at), p.text.size());
    std::string line = p.text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(R"({"arrived")")) continue;
    if (line.ends_with(',')) line.pop_back();
    simdjson::dom::parser each;
    CHECK_FALSE(parsed(each, line)["version_id"].get_string().value().empty());
    ++lines;
  }
  CHECK(lines == 3);
}

TEST_CASE("as JSON, no version gives an empty array, and a run that fails in the middle still one object") {
  for (const std::size_t versions : {0, 1}) {
    page p;
    const auto out = item_output_as_json(p.sink());
    out->subject(which);
    if (versions > 0) out->version(first_version());
    out->finish();
    run_result failed;
    failed.exit_code = exit_failed;
    failed.failed = failure{"transport", "gone", "", "", ""};
    simdjson::dom::parser parser;
    const auto root = parsed(parser, p.text + result_members(failed) + "}\n");
    CHECK(root["versions"].get_array().value().size() == versions);
    CHECK(root.at_pointer("/error/message").get_string().value() == "gone");
  }
}

}  // namespace
}  // namespace dynabackup::cli
