#include "apps/cli/locations.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "unit/apps_configuration/surroundings.hpp"

namespace dynabackup::cli {
namespace {

arguments line_of(command what, std::string table, std::string snapshot = "", std::string prefix_table = "") {
  arguments line;
  line.what = what;
  line.table = std::move(table);
  line.snapshot = std::move(snapshot);
  line.prefix_table = std::move(prefix_table);
  return line;
}

configuration with(const words& options) { return resolve(sources_of({.options = options})); }

const words two_buckets{{"s3.incremental.bucket", "inc"}, {"s3.snapshot.bucket", "snap"}};

words prefixes(const std::string& incremental, const std::string& snapshot, const char* snapshot_bucket = "snap") {
  return {{"s3.incremental.bucket", "inc"},
          {"s3.snapshot.bucket", snapshot_bucket},
          {"s3.incremental.prefix", incremental},
          {"s3.snapshot.prefix", snapshot}};
}

TEST_CASE("tables are named plainly or by ARN") {
  CHECK(table_name_of("users") == "users");
  CHECK(table_name_of("a.b-c_D9") == "a.b-c_D9");
  CHECK(table_name_of(std::string(255, 't')) == std::string(255, 't'));
  CHECK(table_name_of("arn:aws:dynamodb:eu-central-1:123456789012:table/users") == "users");
  for (const std::string bad : {"", "ab", "a/b", "us ers", "users\n", "t\u00e4ble", "{table}", "arn:aws:s3:::users",
                                "arn:aws:dynamodb:x:1:table/", "arn:aws:dynamodb:x:1:table/users/index/by-name",
                                "arn:aws:dynamodb:x:1:table/users/stream/2026"}) {
    CAPTURE(bad);
    CHECK(complaint([&] { table_name_of(bad); }).find("is neither the name of a table") != std::string::npos);
  }
  CHECK(complaint([] { table_name_of(std::string(256, 't')); }).find("is neither") != std::string::npos);
}

TEST_CASE("{table} in a prefix") {
  CHECK(expand_prefix("backup", "users") == "backup");
  CHECK(expand_prefix("{table}", "users") == "users");
  CHECK(expand_prefix("a/{table}/b/{table}", "users") == "a/users/b/users");
  CHECK(expand_prefix("{table}{table}", "x{table}") == "x{table}x{table}");
  CHECK(expand_prefix("{tabl}", "users") == "{tabl}");
  CHECK(expand_prefix("", "users") == "");
  CHECK(names_table("a{table}"));
  CHECK_FALSE(names_table("a{tables}"));
}

struct place_row {
  arguments line;
  words given;
  std::string incremental;
  std::string snapshot;
};

TEST_CASE("prefixes end with a slash and know the table") {
  const std::string arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/users";
  const std::vector<place_row> rows{
      {line_of(command::backfill, "users"), two_buckets, "s3://inc/", "s3://snap/"},
      {line_of(command::backfill, "users"), prefixes("", ""), "s3://inc/", "s3://snap/"},
      {line_of(command::backfill, "users"), prefixes("backup", "snaps/"), "s3://inc/backup/", "s3://snap/snaps/"},
      {line_of(command::backfill, "users"), prefixes("b/{table}", "{table}/"), "s3://inc/b/users/", "s3://snap/users/"},
      {line_of(command::backfill, arn), prefixes("b/{table}", "s"), "s3://inc/b/users/", "s3://snap/s/"},
      {line_of(command::snapshot, "", "", "users"), prefixes("{table}", "s"), "s3://inc/users/", "s3://snap/s/"},
      {line_of(command::restore, "users", "x"), prefixes("i", "{table}"), "s3://inc/i/", "s3://snap/users/"},
      {line_of(command::restore, "copy", "x", "users"), prefixes("i", "{table}"), "s3://inc/i/", "s3://snap/users/"},
  };
  for (const place_row& row : rows) {
    const locations found = locate(row.line, with(row.given));
    CHECK(found.incremental.text() == row.incremental);
    CHECK(found.snapshot.text() == row.snapshot);
    CHECK_FALSE(found.warning);
  }
}

TEST_CASE("a {table} nobody knows needs --table") {
  CHECK(complaint([] { locate(line_of(command::snapshot, ""), with(prefixes("{table}", "s"))); }) ==
        "--incremental-prefix: the prefix '{table}' holds {table}: say which table it is with --table");
  CHECK(complaint([] { locate(line_of(command::snapshot, ""), with(prefixes("i", "s/{table}"))); }) ==
        "--snapshot-prefix: the prefix 's/{table}' holds {table}: say which table it is with --table");
}

struct nesting_row {
  std::string incremental;
  std::string snapshot;
  enum { fine, warned, refused } outcome;
};

TEST_CASE("in one bucket a snapshot must not swallow snapshots") {
  const std::vector<nesting_row> rows{
      {"backup", "snapshots", nesting_row::fine},    {"backup", "backups", nesting_row::fine},
      {"backup/a", "backup/b", nesting_row::fine},   {"backup", "backup", nesting_row::refused},
      {"backup", "backup/", nesting_row::refused},   {"", "", nesting_row::refused},
      {"", "snapshots", nesting_row::refused},       {"backup", "backup/snapshots", nesting_row::refused},
      {"backup", "", nesting_row::warned},           {"snapshots/items", "snapshots", nesting_row::warned},
      {"{table}", "users/s", nesting_row::refused},  {"{table}", "{table}", nesting_row::refused},
      {"a/{table}", "b/{table}", nesting_row::fine},
  };
  for (const nesting_row& row : rows) {
    CAPTURE(row.incremental);
    CAPTURE(row.snapshot);
    const auto line = line_of(command::backfill, "users");
    const std::string refused = complaint([&] { locate(line, with(prefixes(row.incremental, row.snapshot, "inc"))); });
    CHECK((refused.find("would swallow the earlier ones") != std::string::npos) ==
          (row.outcome == nesting_row::refused));
    if (row.outcome != nesting_row::refused)
      CHECK(locate(line, with(prefixes(row.incremental, row.snapshot, "inc"))).warning.has_value() ==
            (row.outcome == nesting_row::warned));
    // Two buckets never meet.
    CHECK_FALSE(locate(line, with(prefixes(row.incremental, row.snapshot))).warning);
  }
}

TEST_CASE("a bucket that is not set is in nobody's way") {
  CHECK_FALSE(check_nesting({"", ""}, {"", ""}));
  CHECK_FALSE(check_nesting({"b", ""}, {"", ""}));
}

TEST_CASE("names of snapshots") {
  for (const std::string good : {"x", "2026-11-22T11-45-03Z.json.gz", "a/b.json", "gr\u00fcn"})
    CHECK_NOTHROW(locate(line_of(command::restore, "users", good), with(two_buckets)));
  for (const std::string& bad : {std::string("/x"), std::string("x/"), std::string("a\nb"), std::string("\xff"),
                                 std::string(".dynabackup/x"), std::string(401, 'n')})
    CHECK(complaint([&] {
            locate(line_of(command::snapshot, "", bad), with(two_buckets));
          }).ends_with(" cannot be the name of a snapshot"));
  CHECK(complaint([] { locate(line_of(command::restore, "users"), with(two_buckets)); }) ==
        "the name of the snapshot is empty");
}

struct needs_row {
  command what;
  words given;
  std::vector<std::string> missing;
};

TEST_CASE("what a command needs and has not is named by variable, file key and option") {
  const std::string incremental =
      "s3.incremental.bucket (--incremental-bucket, or INCREMENTAL_BUCKET in the environment)";
  const std::string snapshot = "s3.snapshot.bucket (--snapshot-bucket, or SNAPSHOT_BUCKET in the environment)";
  const std::string table_region =
      "dynamodb.region (--dynamodb-region, or DYNAMODB_REGION or AWS_REGION in the environment)";
  const std::string s3_region = "s3.region (--s3-region, or S3_REGION or AWS_REGION in the environment)";
  const std::vector<needs_row> rows{
      {command::backfill, {}, {incremental, table_region}},
      {command::backfill, {{"s3.incremental.bucket", "b"}}, {table_region}},
      {command::backfill, {{"s3.incremental.bucket", "b"}, {"dynamodb.region", "r"}}, {}},
      {command::backfill, {{"s3.incremental.bucket", "b"}, {"s3.region", "r"}}, {table_region}},
      {command::snapshot, {}, {incremental, snapshot, s3_region}},
      {command::snapshot, {{"s3.snapshot.bucket", "b"}, {"region", "r"}}, {incremental}},
      {command::restore, {{"region", "r"}}, {snapshot}},
      {command::restore, {{"s3.snapshot.bucket", "b"}}, {table_region}},
      {command::history, {}, {incremental, s3_region}},
      {command::history, {{"region", "r"}}, {incremental}},
      {command::show, {{"s3.incremental.bucket", "b"}, {"s3.region", "r"}}, {}},
      {command::config, {}, {}},
  };
  for (const needs_row& row : rows) {
    std::string list;
    for (const std::string& each : row.missing) list += (list.empty() ? "" : " and ") + each;
    const std::string said = complaint([&] { require_settings(line_of(row.what, ""), with(row.given)); });
    CHECK(said == (row.missing.empty()
                       ? "(no usage error)"
                       : std::string(name_of(row.what)) + " needs " + list +
                             ": not set on the command line, in a configuration file or in the environment"));
  }
}

}  // namespace
}  // namespace dynabackup::cli
