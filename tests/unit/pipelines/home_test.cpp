#include "pipelines/home.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "fakes/test_run.hpp"
#include "pipelines/runs.hpp"

using namespace dynabackup;

namespace {

const s3_location home{"b", "p/"};

archive::descriptor table(const char* name, const char* created = "100") {
  archive::descriptor d;
  d.table = name;
  d.arn = std::string("arn:aws:dynamodb:us-east-1:123456789012:table/") + name;
  d.created = created;
  d.key = {{"id", 'S'}};
  return d;
}

void holds_descriptor(fakes::test_run& t, const archive::descriptor& d) {
  const std::string body = archive::write_descriptor(d);
  t.object_network.expect([](const request& r) { CHECK(r.target == "/b/p/.dynabackup/descriptor.json"); }, 200, body,
                          {{"ETag", "\"e\""},
                           {"Content-Length", std::to_string(body.size())},
                           {"Last-Modified", "Sun, 22 Nov 2026 11:30:00 GMT"}});
}

std::string listing(const std::vector<std::string>& keys) {
  std::string xml = "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>";
  for (const std::string& key : keys)
    xml += "<Contents><Key>" + key +
           "</Key><LastModified>2026-11-22T11:30:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
           "<Size>1</Size></Contents>";
  return xml + "</ListBucketResult>";
}

std::string versioning(const char* status) {
  return std::string("<VersioningConfiguration>") + status + "</VersioningConfiguration>";
}

}  // namespace

TEST_CASE("writers refuse a bucket that is not versioned, and say how to mend it") {
  for (const char* status : {"", "<Status>Suspended</Status>"}) {
    fakes::test_run t;
    t.object_network.expect({}, 200, versioning(status));
    CHECK_THROWS_WITH_AS(fakes::run_task(pipelines::require_versioning(t.run, home, false)),
                         doctest::Contains("put-bucket-versioning"), usage_error);
  }
}

TEST_CASE("--unversioned says what no longer holds") {
  fakes::test_run t;
  t.object_network.expect({}, 200, versioning(""));
  fakes::run_task(pipelines::require_versioning(t.run, home, true));
  REQUIRE(t.seen.notices.size() == 1);
  CHECK(t.seen.notices[0].find("not versioned") != std::string::npos);
}

TEST_CASE("a prefix that holds another tool's objects is refused, naming one") {
  fakes::test_run t;
  t.object_network.expect({}, 404, "<Error><Code>NoSuchKey</Code></Error>");
  t.object_network.expect({}, 200, listing({"p/.dynabackup/probe", "p/report.csv"}));
  t.object_network.expect({}, 404, "<Error><Code>NoSuchKey</Code></Error>");
  CHECK_THROWS_WITH_AS(fakes::run_task(pipelines::check_home(t.run, home, table("orders"), false)),
                       doctest::Contains("p/report.csv"), usage_error);
}

TEST_CASE("a prefix that another run of ours claims and fills between two looks is not another tool's") {
  fakes::test_run t;
  t.object_network.expect({}, 404, "<Error><Code>NoSuchKey</Code></Error>");
  t.object_network.expect({}, 200, listing({"p/" + std::string(64, 'a')}));
  holds_descriptor(t, table("orders"));
  CHECK_FALSE(fakes::run_task(pipelines::check_home(t.run, home, table("orders"), false)));
}

TEST_CASE("an empty prefix, or one with leftovers of our own bookkeeping, is to be claimed") {
  fakes::test_run t;
  t.object_network.expect({}, 404, "<Error><Code>NoSuchKey</Code></Error>");
  t.object_network.expect({}, 200, listing({"p/.dynabackup/probe"}));
  CHECK(fakes::run_task(pipelines::check_home(t.run, home, table("orders"), false)));
}

TEST_CASE("the table's own prefix is accepted as it is") {
  fakes::test_run t;
  holds_descriptor(t, table("orders"));
  CHECK_FALSE(fakes::run_task(pipelines::check_home(t.run, home, table("orders"), false)));
}

TEST_CASE("another table's prefix is refused and the message proposes {table}") {
  fakes::test_run t;
  holds_descriptor(t, table("orders"));
  CHECK_THROWS_WITH_AS(fakes::run_task(pipelines::check_home(t.run, home, table("users"), true)),
                       doctest::Contains("{table}"), usage_error);
}

TEST_CASE("a recreated table needs --adopt") {
  {
    fakes::test_run t;
    holds_descriptor(t, table("orders", "100"));
    CHECK_THROWS_WITH_AS(fakes::run_task(pipelines::check_home(t.run, home, table("orders", "200"), false)),
                         doctest::Contains("--adopt"), usage_error);
  }
  fakes::test_run t;
  holds_descriptor(t, table("orders", "100"));
  CHECK(fakes::run_task(pipelines::check_home(t.run, home, table("orders", "200"), true)));
}

TEST_CASE(
    "each condition is enforced when it is refused where it must be and taken where it may; the probe is removed") {
  struct row {
    int second, wrong_etag, right_etag;  // answers to the PUTs behind the first
    bool if_none_match, if_match;
  };
  const std::vector<row> rows = {{412, 412, 200, true, true},
                                 {200, 412, 200, false, true},
                                 {412, 200, 200, true, false},
                                 {412, 412, 412, true, false},
                                 {200, 200, 200, false, false}};
  for (const row& each : rows) {
    fakes::test_run t;
    auto with = [](const char* name, const char* value) {
      return [name, value](const request& r) {
        CHECK(r.method == "PUT");
        CHECK(std::any_of(r.headers.begin(), r.headers.end(),
                          [&](const header& h) { return h.name == name && h.value == value; }));
      };
    };
    auto put = [&](std::function<void(const request&)> check, int status, const char* version) {
      t.object_network.expect(std::move(check), status, "", {{"ETag", "\"e\""}, {"x-amz-version-id", version}});
    };
    put(with("If-None-Match", "*"), 200, "v1");
    put(with("If-None-Match", "*"), each.second, "v2");
    put(with("If-Match", "\"00000000000000000000000000000000\""), each.wrong_etag, "v3");
    put(with("If-Match", "\"e\""), each.right_etag, "v4");
    auto removed = [&](int status, std::string id) {
      if (status != 200) return;
      t.object_network.expect(
          [id](const request& r) {
            CHECK(r.method == "DELETE");
            CHECK(r.target.find("versionId=" + id) != std::string::npos);
          },
          204, "");
    };
    removed(200, "v1");
    removed(each.second, "v2");
    removed(each.wrong_etag, "v3");
    removed(each.right_etag, "v4");
    const pipelines::store_conditions found = fakes::run_task(pipelines::probe_conditions(t.run, home, "r"));
    CHECK(found.if_none_match == each.if_none_match);
    CHECK(found.if_match == each.if_match);
  }
}

namespace {

void holds_runs(fakes::test_run& t, std::vector<archive::run_record> newest_first) {
  std::vector<std::string> keys;
  for (const archive::run_record& r : newest_first) keys.push_back("p/.dynabackup/runs/" + r.id + ".json");
  t.object_network.expect({}, 200, listing(keys));
  for (const archive::run_record& r : newest_first) {
    const std::string body = archive::write_run_record(r);
    t.object_network.expect({}, 200, body,
                            {{"ETag", "\"e\""},
                             {"Content-Length", std::to_string(body.size())},
                             {"Last-Modified", "Sun, 22 Nov 2026 11:30:00 GMT"}});
  }
  t.object_network.expect({}, 200, listing({}));
  t.object_network.expect({}, 200, listing({}));
}

archive::run_record record(const char* id, bool finished, bool swept, const char* stream) {
  archive::run_record r;
  r.id = id;
  r.table_arn = "arn";
  r.started = "2026-11-22T11:00:00Z";
  if (finished) r.ended = "2026-11-22T11:30:00Z";
  r.finished = finished;
  r.swept = swept;
  r.stream_label = stream;
  r.changes_recorded = *stream != 0;
  return r;
}

archive::run_record differing(archive::run_record r, std::uint64_t objects) {
  r.differing = objects;
  return r;
}

}  // namespace

TEST_CASE("coverage begins with a finished and swept backfill") {
  struct row {
    std::vector<archive::run_record> runs;
    const char* missing;  // part of the reason; empty = covered
    std::size_t warnings;
  };
  const std::vector<row> rows = {
      {{}, "no finished backfill", 0},
      {{record("2", true, true, "s")}, "", 0},
      {{record("2", true, true, "")}, "", 1},  // one-off: says so
      {{record("2", false, false, "")}, "left open", 0},
      {{record("2", false, false, ""), record("1", true, true, "s")}, "left open", 0},
      {{record("2", false, false, "s"), record("1", true, true, "s")}, "left open", 0},
      {{record("2", true, false, "s"), record("1", true, true, "s")}, "left open", 0},
      {{record("2", true, true, "s"), record("1", true, false, "s")}, "left open", 0},
      {{record("2", false, true, "s"), record("1", true, true, "s")}, "", 0},  // ended early, swept: harms nobody
      {{differing(record("2", true, true, "s"), 3)}, "3 objects", 0},
  };
  for (const row& r : rows) {
    fakes::test_run t;
    holds_runs(t, r.runs);
    const pipelines::coverage found = fakes::run_task(pipelines::coverage_of(t.run, home));
    if (*r.missing == 0)
      CHECK(found.missing == "");
    else
      CHECK(found.missing.find(r.missing) != std::string::npos);
    CHECK(found.warnings.size() == r.warnings);
  }
}

TEST_CASE("a run is named after the bucket's time, so that runs sort whatever the clocks of their machines say") {
  fakes::test_run t;
  CHECK(pipelines::new_run_id(t.run).starts_with("20261122T114503Z-"));
  t.object_network.expect({}, 200, versioning("<Status>Enabled</Status>"), {{"Date", "Sun, 22 Nov 2026 17:00:01 GMT"}});
  fakes::run_task(pipelines::require_versioning(t.run, home, false));
  CHECK(pipelines::new_run_id(t.run).starts_with("20261122T170001Z-"));
}
