#include "pipelines/snapshot_writer.hpp"

#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "fakes/test_run.hpp"
#include "runtime/in_flight.hpp"
#include "text/timestamps.hpp"

using namespace dynabackup;

namespace {

struct writing {
  fakes::test_run t;
  byte_budget parts{std::size_t{24} << 20};
  std::unique_ptr<pipelines::snapshot_writer> writer;
  std::optional<archive::manifest> result;
  std::string id;  // the snapshot-id our PUT carried
  std::string stored;

  task<void> produce(runtime::in_flight& uploads, std::vector<std::string> lines) {
    const pipelines::snapshot_target target{"b", "snap", {"b", "p/"}, compression::none, false};
    writer = std::make_unique<pipelines::snapshot_writer>(t.run, target, uploads, parts);
    for (const std::string& line : lines) co_await writer->add(line);
    result = co_await writer->finish();
  }
  void write(std::vector<std::string> lines) {
    fakes::run_task(
        runtime::bounded(4, t.stop, [this, lines](runtime::in_flight& uploads) { return produce(uploads, lines); }));
  }
  void expect_put(int status) {
    t.object_network.expect([](const request& r) { CHECK(r.method == "HEAD"); }, 404, "");
    t.object_network.expect(
        [this](const request& r) {
          CHECK(r.method == "PUT");
          bool conditional = false;
          for (const header& h : r.headers) {
            if (h.name == "x-amz-meta-snapshot-id") id = h.value;
            if (h.name == "If-None-Match") conditional = h.value == "*";
          }
          CHECK(conditional);
          CHECK_FALSE(id.empty());
          stored = r.body;
        },
        status, status == 200 ? "" : "<Error><Code>PreconditionFailed</Code></Error>", {{"ETag", "\"e\""}});
  }
  void expect_head(const std::string& snapshot_id, std::size_t size) {
    t.object_network.expect([](const request& r) { CHECK(r.method == "HEAD"); }, 200, "",
                            {{"ETag", "\"etag\""},
                             {"Content-Length", std::to_string(size)},
                             {"Last-Modified", "Sun, 22 Nov 2026 11:30:00 GMT"},
                             {"x-amz-meta-snapshot-id", snapshot_id}});
  }
};

/// The random source of a test_run is constant: so is the id.
std::string known_id() {
  fakes::test_run t;
  return text::amz_date(t.clock.now()) + "-80000000";
}

}  // namespace

TEST_CASE("parts start at 8 MiB and double every 1,000, 10,000 of them reach past 5 TiB") {
  using pipelines::snapshot_writer;
  CHECK(snapshot_writer::part_bytes(1) == std::size_t{8} << 20);
  CHECK(snapshot_writer::part_bytes(1000) == std::size_t{8} << 20);
  CHECK(snapshot_writer::part_bytes(1001) == std::size_t{16} << 20);
  CHECK(snapshot_writer::part_bytes(10'000) == std::size_t{4} << 30);
  std::uint64_t total = 0;
  for (int n = 1; n <= 10'000; ++n) total += snapshot_writer::part_bytes(n);
  CHECK(total > std::uint64_t{5} << 40);
}

TEST_CASE("a small snapshot is one conditional PUT; the manifest is bound to what HEAD says") {
  writing w;
  w.expect_put(200);
  w.expect_head(known_id(), 14);
  w.write({"line 1", "line 2"});
  CHECK(w.id == known_id());
  CHECK(w.stored == "line 1\nline 2\n");
  REQUIRE(w.result);
  CHECK(w.result->etag == "etag");
  CHECK(w.result->size == 14);
  CHECK(w.result->items == 2);
  CHECK(w.result->sha256 == crypto::sha256_hex(w.stored));
  REQUIRE(w.result->blocks.size() == 1);
  CHECK(w.result->blocks[0].raw_size == 14);
}

TEST_CASE("a name that was taken meanwhile is refused") {
  writing w;
  w.expect_put(412);
  w.expect_head("somebody-else", 7);
  CHECK_THROWS_WITH_AS(w.write({"line 1"}), doctest::Contains("--overwrite"), usage_error);
}

TEST_CASE("a name that was taken before the end is not even tried") {
  writing w;
  w.expect_head("somebody-else", 7);
  CHECK_THROWS_WITH_AS(w.write({"line 1"}), doctest::Contains("--overwrite"), usage_error);
}

TEST_CASE("a 412 that is the echo of our own lost answer is a success") {
  writing w;
  w.expect_put(412);
  w.expect_head(known_id(), 7);
  w.write({"line 1"});
  REQUIRE(w.result);
  CHECK(w.result->items == 1);
}

TEST_CASE("an object that somebody else put over ours is no success") {
  writing w;
  w.expect_put(200);
  w.expect_head("somebody-else", 7);
  CHECK_THROWS_WITH_AS(w.write({"line 1"}), doctest::Contains("somebody else"), error);
}

namespace {

/// One part and the rest, and what became of the note; `doubled`: an earlier attempt to begin the upload went
/// unanswered.
void write_parts(writing& w, bool doubled) {
  using fakes::scripted_transport;
  const auto is = [](std::string method, std::string part_of_target) {
    return [=](const request& r) {
      CHECK(r.method == method);
      CHECK_MESSAGE(r.target.find(part_of_target) != std::string::npos, r.target);
    };
  };
  w.t.run.part_bytes = 16;
  scripted_transport& network = w.t.object_network;
  network.expect(is("PUT", "/uploads/"), 200, "", {{"ETag", "\"n\""}});
  response begun;
  begun.status = 200;
  begun.body = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
  begun.unsettled = doubled;
  network.expect_answer(is("POST", "uploads="), std::move(begun));
  const std::string etag(32, 'a');
  network.expect(is("PUT", "partNumber=1&"), 200, "", {{"ETag", '"' + etag + '"'}});
  network.expect(is("HEAD", "/snap"), 404, "");
  network.expect(is("PUT", "partNumber=2&"), 200, "", {{"ETag", '"' + etag + '"'}});
  network.expect(is("POST", "uploadId=u"), 200,
                 "<CompleteMultipartUploadResult><ETag>e-2</ETag></CompleteMultipartUploadResult>");
  w.expect_head(known_id(), 23);
  w.write({"a line of 18 bytes", "abc"});
  REQUIRE(w.result);
  CHECK_FALSE(w.writer->unfinished());
}

}  // namespace

TEST_CASE("the note of an upload stays when another one may have been begun") {
  writing w;
  write_parts(w, true);
  const int before = w.t.object_network.requests;
  fakes::run_task(w.writer->forget());
  CHECK(w.t.object_network.requests == before);
}

TEST_CASE("the note of an upload goes with it") {
  writing w;
  write_parts(w, false);
  w.t.object_network.expect([](const request& r) { CHECK(r.target.find("uploads%2F") != std::string::npos); }, 200,
                            "<ListVersionsResult></ListVersionsResult>");
  fakes::run_task(w.writer->forget());
}

TEST_CASE("an empty backup still gives a file") {
  writing w;
  w.expect_put(200);
  w.expect_head(known_id(), 0);
  w.write({});
  REQUIRE(w.result);
  CHECK(w.result->items == 0);
  CHECK(w.result->blocks.empty());
}
