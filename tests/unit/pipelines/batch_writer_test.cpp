#include "pipelines/batch_writer.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"
#include "fakes/test_run.hpp"

using namespace dynabackup;

namespace {

constexpr const char* done = R"({"UnprocessedItems":{}})";
constexpr const char* refused =
    R"({"__type":"com.amazon.coral.validate#ValidationException","message":"Item size has exceeded the maximum allowed size"})";

dynamodb::write_batch batch_of(int items) {
  dynamodb::write_batch batch("T");
  for (int i = 1; i <= items; ++i)
    batch.add(R"({"id":{"N":")" + std::to_string(i) + R"("}})", static_cast<unsigned>(i));
  return batch;
}

auto puts(std::vector<int> ids) {
  return [ids](const request& r) {
    for (int id = 1; id <= 9; ++id) {
      const bool wanted = std::find(ids.begin(), ids.end(), id) != ids.end();
      const bool there = r.body.find(R"({"id":{"N":")" + std::to_string(id) + R"("}})") != std::string::npos;
      CHECK_MESSAGE(there == wanted, "item " << id << " in " << r.body);
    }
  };
}

struct writing {
  fakes::test_run t;
  report out;
  pipelines::restore_progress progress{t.run, {}};
  pipelines::batch_writer writer{t.run, out, progress, [](std::string_view, std::uint64_t line) {
                                   return finding{.kind = {}, .object = "s3://b/snap", .line = line, .detail = {}};
                                 }};
  std::shared_ptr<pipelines::settled_prefix> lines = progress.begin_lines();
  void write(int items) {
    pipelines::batch_end end{lines, lines->begin(static_cast<std::uint64_t>(items))};
    fakes::run_task(writer.write(batch_of(items), {}, std::move(end)));
  }
};

}  // namespace

TEST_CASE("a batch that is taken whole is one request") {
  writing w;
  w.t.table_network.expect(puts({1, 2, 3}), 200, done);
  w.write(3);
  CHECK(w.out.items_written == 3);
  CHECK(w.t.seen.items == 3);
  CHECK(w.out.findings.empty());
}

TEST_CASE("leftovers alone are sent again, as the answer spelled them, until none is left") {
  writing w;
  w.t.table_network.expect(
      puts({1, 2, 3}), 200,
      R"({"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"id":{"N":"2"}}}},{"PutRequest":{"Item":{"id":{"N":"3"}}}}]}})");
  w.t.table_network.expect(puts({2, 3}), 200,
                           R"({"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"id":{"N":"3"}}}}]}})");
  w.t.table_network.expect(puts({3}), 200, done);
  w.write(3);
  CHECK(w.out.items_written == 3);
  CHECK(w.t.throttled == 2);
  CHECK(w.t.clock.sleeps.size() == 2);
}

TEST_CASE("a table that takes nothing any more fails the run instead of being asked for ever") {
  writing w;
  const char* all = R"({"UnprocessedItems":{"T":[{"PutRequest":{"Item":{"id":{"N":"1"}}}}]}})";
  for (int i = 0; i < 20; ++i) w.t.table_network.expect(puts({1}), 200, all);
  CHECK_THROWS_WITH_AS(w.write(1), doctest::Contains("unprocessed 20 times in a row"), error);
  CHECK(w.t.clock.slept() > std::chrono::seconds{60});
  CHECK(w.out.items_written == 0);
}

TEST_CASE("an answer without UnprocessedItems is no success") {
  writing w;
  w.t.table_network.expect(puts({1}), 200, "{}");
  CHECK_THROWS_AS(w.write(1), format_error);
  CHECK(w.out.items_written == 0);
}

TEST_CASE("a refused item is found by halving, named by its line, and its neighbours are written") {
  writing w;
  auto& net = w.t.table_network;
  net.expect(puts({1, 2, 3, 4}), 400, refused);
  net.expect(puts({1, 2}), 200, done);
  net.expect(puts({3, 4}), 400, refused);
  net.expect(puts({3}), 400, refused);
  net.expect(puts({4}), 200, done);
  w.write(4);
  CHECK(w.out.items_written == 3);
  CHECK(w.out.items_refused == 1);
  REQUIRE(w.out.findings.size() == 1);
  CHECK(w.out.findings[0].kind == "refused");
  CHECK(w.out.findings[0].line == 3);
  CHECK(w.out.findings[0].object == "s3://b/snap");
  CHECK_FALSE(w.out.whole());
}

TEST_CASE("what concerns the table fails the run at once") {
  writing w;
  w.t.table_network.expect(
      puts({1, 2}), 400,
      R"({"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no such table"})");
  CHECK_THROWS_AS(w.write(2), service_error);
  CHECK(w.out.items_written == 0);
  CHECK(w.out.items_refused == 0);
}

TEST_CASE("a request that was given up in the middle may still take effect, one that was refused may not") {
  writing refused_at_once;
  refused_at_once.t.table_network.expect(
      puts({1}), 400, R"({"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"})");
  CHECK_THROWS_AS(refused_at_once.write(1), service_error);
  CHECK_FALSE(refused_at_once.progress.late_until());
  writing given_up;
  given_up.t.table_network.expect(puts({1}), 500, R"({"__type":"com.amazonaws#InternalServerError","message":"?"})");
  CHECK_THROWS_AS(given_up.write(1), service_error);
  CHECK(given_up.progress.late_until());
}
