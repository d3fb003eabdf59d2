#include "pipelines/existing_object.hpp"

#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "fakes/test_run.hpp"

using namespace dynabackup;
using pipelines::standing;

namespace {

const std::string mine = R"({"Item":{"id":{"S":"x"},"v":{"N":"1"}}})";
const std::string other = R"({"Item":{"id":{"S":"x"},"v":{"N":"2"}}})";
const std::string key = R"({"id":{"S":"x"}})";

struct looking {
  fakes::test_run t;
  archive::canonicalizer canonical;
  pipelines::existing_object judge{t.run, "b", "T", "2026-11-22T11:00:00Z"};

  void head(std::vector<header> meta, const char* last_modified = "Sun, 22 Nov 2026 11:30:00 GMT") {
    meta.insert(meta.end(), {{"ETag", "\"e\""}, {"Content-Length", "40"}, {"Last-Modified", last_modified}});
    t.object_network.expect([](const request& r) { CHECK(r.method == "HEAD"); }, 200, "", std::move(meta));
  }
  void table_holds(const std::string& answer) {
    t.table_network.expect(
        [](const request& r) {
          CHECK(r.body.find(R"("ConsistentRead":true)") != std::string::npos);
          CHECK(r.body.find(key) != std::string::npos);
        },
        200, answer);
  }
  standing look() { return fakes::run_task(judge.look("o", key, crypto::md5_hex(mine), canonical)); }
};

}  // namespace

TEST_CASE("no object, or a delete marker, is nothing") {
  looking l;
  l.t.object_network.expect({}, 404, "");
  CHECK(l.look() == standing::nothing);
}

TEST_CASE("an object with our md5 is equal, whoever wrote it") {
  looking l;
  l.head({{"x-amz-meta-md5", crypto::md5_hex(mine)}, {"x-amz-meta-source", "stream"}});
  CHECK(l.look() == standing::equal);
}

TEST_CASE("what the stream wrote since the run began is newer than our page") {
  looking l;
  l.head({{"x-amz-meta-md5", crypto::md5_hex(other)}, {"x-amz-meta-source", "stream"}});
  CHECK(l.look() == standing::newer);
}

TEST_CASE("what the stream wrote before the run is judged by the table") {
  looking l;
  l.head({{"x-amz-meta-md5", crypto::md5_hex(other)}, {"x-amz-meta-source", "stream"}},
         "Sun, 22 Nov 2026 10:59:59 GMT");
  l.table_holds(R"({"Item":{"v":{"N":"2"},"id":{"S":"x"}}})");
  CHECK(l.look() == standing::equal);
}

TEST_CASE("an older backfill's object that the table no longer agrees with differs") {
  looking l;
  l.head({{"x-amz-meta-md5", crypto::md5_hex(other)}, {"x-amz-meta-source", "backfill"}});
  l.table_holds(R"({"Item":{"v":{"N":"1"},"id":{"S":"x"}}})");
  CHECK(l.look() == standing::different);
}

TEST_CASE("an object whose item is gone from the table differs") {
  looking l;
  l.head({{"x-amz-meta-md5", crypto::md5_hex(other)}, {"x-amz-meta-source", "backfill"}});
  l.table_holds("{}");
  CHECK(l.look() == standing::different);
}

TEST_CASE("an object without our metadata is read and judged by its bytes") {
  looking l;
  l.head({});
  l.t.object_network.expect([](const request& r) { CHECK(r.method == "GET"); }, 200, mine,
                            {{"ETag", "\"e\""},
                             {"Content-Length", std::to_string(mine.size())},
                             {"Last-Modified", "Sun, 22 Nov 2026 11:30:00 GMT"}});
  CHECK(l.look() == standing::equal);
}
