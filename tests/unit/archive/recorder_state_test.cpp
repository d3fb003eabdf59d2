#include "archive/recorder_state.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

namespace dynabackup::archive {

TEST_CASE("a recorder's state is read as it was written") {
  recorder_state s;
  s.owner = "20261122T114503Z-1f3a9c2e";
  s.writer = "20261122T114503Z-2f3a9c2e";
  s.serial = 7;
  s.table = {"arn:t", "id", "1795347903"};
  s.stream_arn = "arn:t/stream/2026-11-22T11:45:03.000";
  s.ended = true;
  s.read_at = "2026-11-22T11:45:03Z";
  s.shards = {{"shardId-1", "", true, "100000000000000000001"}, {"shardId-2", "shardId-1", false, ""}};
  const std::string body = write_recorder_state(s);
  const recorder_state r = read_recorder_state(body);
  CHECK(r.owner == s.owner);
  CHECK(r.writer == s.writer);
  CHECK(r.serial == 7);
  CHECK(r.table == s.table);
  CHECK(r.stream_arn == s.stream_arn);
  CHECK(r.ended);
  CHECK(r.read_at == s.read_at);
  REQUIRE(r.shards.size() == 2);
  CHECK(r.shards[0].done);
  CHECK(r.shards[0].sequence == "100000000000000000001");
  CHECK(r.shards[1].parent == "shardId-1");
  CHECK(write_recorder_state(r) == body);
}

TEST_CASE("where no writer is told it is the owner") {
  recorder_state s;
  s.owner = "o";
  s.writer = "w";
  std::string body = write_recorder_state(s);
  const std::size_t begin = body.find(R"(  "writer")");
  body.erase(begin, body.find('\n', begin) + 1 - begin);
  CHECK(read_recorder_state(body).writer == "o");
}

TEST_CASE("no more shards are written than are read") {
  recorder_state s;
  s.shards.resize(100'000);
  for (std::size_t i = 0; i < s.shards.size(); ++i)
    s.shards[i] = {std::string(60, 's') + std::to_string(i), std::string(66, 'p'), false, std::string(25, '1')};
  CHECK(read_recorder_state(write_recorder_state(s)).shards.size() == s.shards.size());
  s.shards.push_back({"one more", "", false, ""});
  CHECK_THROWS_WITH_AS(write_recorder_state(s), doctest::Contains("100001 shards"), error);
}

TEST_CASE("a damaged or foreign recorder's state is refused") {
  recorder_state one;
  one.shards = {{"s", "", false, "12"}};
  const std::string good = write_recorder_state(one);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string body = good;
    return body.replace(body.find(from), from.size(), to);
  };
  CHECK_NOTHROW(read_recorder_state(good));
  CHECK_THROWS_AS(read_recorder_state(""), format_error);
  CHECK_THROWS_AS(read_recorder_state(good.substr(0, good.size() / 2)), format_error);
  CHECK_THROWS_WITH_AS(read_recorder_state(with(R"("format": 1)", R"("format": 2)")), doctest::Contains("update"),
                       format_error);
  CHECK_THROWS_AS(read_recorder_state(with(R"("12")", R"("1x")")), format_error);
  CHECK_THROWS_AS(read_recorder_state(with(R"("12")", '"' + std::string(41, '1') + '"')), format_error);
  CHECK_THROWS_AS(read_recorder_state(with(R"("shard": "s")", R"("shard": "")")), format_error);
  CHECK_THROWS_AS(read_recorder_state(with(R"("serial": 0)", R"("serial": -1)")), format_error);
  CHECK_THROWS_AS(read_recorder_state(with(R"("read_at": "")", R"("read_at": "yesterday")")), format_error);
}

}  // namespace dynabackup::archive
