#include "pipelines/shard_tree.hpp"

#include <doctest/doctest.h>

namespace dynabackup::pipelines {
namespace {

using names = std::vector<std::string>;
using moment = shard_tree::time_point;

shard_tree::losses listed(shard_tree& tree, const std::vector<dynamodb::stream_shard>& all) {
  shard_tree::losses lost = tree.losses_of(all);
  tree.take(all, {});
  return lost;
}

}  // namespace

TEST_CASE("a child waits for its parent, grandchildren for the child") {
  shard_tree tree;
  CHECK(listed(tree, {{"a", ""}, {"b", "a"}, {"c", "a"}, {"d", "b"}}).shards.empty());
  CHECK(tree.ready() == names{"a"});
  CHECK(tree.ready().empty());
  tree.finished("a");
  CHECK(tree.ready() == names{"b", "c"});
  tree.finished("b");
  CHECK(tree.ready() == names{"d"});
  CHECK_FALSE(tree.all_done());
  tree.finished("c");
  tree.finished("d");
  CHECK(tree.all_done());
}

TEST_CASE("a parent that is not kept any more holds nobody up, and is no loss for who begins") {
  shard_tree tree;
  const shard_tree::losses lost = listed(tree, {{"b", "a"}});
  CHECK(lost.shards.empty());
  CHECK_FALSE(lost.unseen);
  CHECK(tree.ready() == names{"b"});
}

TEST_CASE("for who resumes, an unread shard that is gone is a loss, and so is a parent nobody knew") {
  shard_tree tree;
  tree.resume({{"a", "", true, "100"}, {"b", "a", false, "200"}, {"c", "a", false, ""}}, {});
  const shard_tree::losses lost = listed(tree, {{"c", "a"}, {"e", "d"}});
  CHECK(lost.shards == names{"b"});
  CHECK(lost.unseen);
  CHECK(tree.ready() == names{"c", "e"});
}

TEST_CASE("a child whose parent was recorded and trimmed is no loss") {
  shard_tree tree;
  tree.resume({{"a", "", true, "100"}}, {});
  const shard_tree::losses lost = listed(tree, {{"b", "a"}});
  CHECK(lost.shards.empty());
  CHECK_FALSE(lost.unseen);
  // a is forgotten: b is known, nobody else is its child
  CHECK(tree.positions().size() == 1);
  CHECK_FALSE(listed(tree, {{"b", "a"}}).unseen);
}

TEST_CASE("a shard that is being read is no loss when it vanishes from the list: its reader tells") {
  shard_tree tree;
  listed(tree, {{"a", ""}});
  CHECK(tree.ready() == names{"a"});
  CHECK(listed(tree, {}).shards.empty());
  tree.recorded("a", "7");
  CHECK(tree.position("a") == "7");
}

TEST_CASE("what a list says is lost passes no position before the list is taken") {
  shard_tree tree;
  tree.resume({{"a", "", false, "100"}, {"c", "", false, ""}}, {});
  const std::vector<dynamodb::stream_shard> now{{"c", ""}, {"e", "d"}};
  const shard_tree::losses lost = tree.losses_of(now);
  CHECK(lost.shards == names{"a"});
  CHECK(lost.unseen);
  const std::vector<archive::shard_position> before = tree.positions();
  REQUIRE(before.size() == 2);
  CHECK(before[0].shard == "a");
  CHECK_FALSE(before[0].done);
  CHECK(before[0].sequence == "100");
  CHECK(tree.losses_of(now).shards == names{"a"});
  tree.take(now, {});
  CHECK(tree.losses_of(now).shards.empty());
  CHECK_FALSE(tree.losses_of(now).unseen);
}

TEST_CASE("a checkpoint leaves out what a child tells of, and whoever resumes reads none of it again") {
  const std::vector<dynamodb::stream_shard> all{{"a", ""},  {"b", "a"}, {"c", "b"}, {"d", "c"},
                                                {"e", "c"}, {"f", ""},  {"g", ""},  {"h", "g"}};
  shard_tree tree;
  tree.take(all, {});
  for (const char* each : {"a", "b", "c", "f", "g"}) tree.finished(each);
  tree.recorded("d", "7");
  const std::vector<archive::shard_position> saved = tree.positions();
  names kept;
  for (const archive::shard_position& p : saved) kept.push_back(p.shard);
  CHECK(kept == names{"d", "e", "f", "g", "h"});
  shard_tree heir;
  heir.resume(saved, {});
  // a's parent is not kept any more; i is new
  std::vector<dynamodb::stream_shard> later = all;
  later[0].parent = "z";
  later.push_back({"i", "f"});
  const shard_tree::losses lost = heir.losses_of(later);
  CHECK(lost.shards.empty());
  CHECK_FALSE(lost.unseen);
  heir.take(later, {});
  CHECK(heir.ready() == names{"d", "e", "h", "i"});
}

TEST_CASE("all is read until where the slowest unfinished shard is, and a new one was not there before") {
  const auto at = [](int n) { return moment(std::chrono::hours(n)); };
  shard_tree tree;
  tree.resume({{"a", "", false, "100"}}, at(5));
  CHECK(tree.read_at(at(9)) == at(5));
  tree.take({{"a", ""}, {"b", "a"}}, at(7));
  tree.read_until("a", at(9));
  CHECK(tree.read_at(at(9)) == at(7));
  CHECK(tree.read_at(at(6)) == at(6));
  tree.read_until("b", at(8));
  tree.read_until("a", at(6));
  CHECK(tree.read_at(at(9)) == at(6));
  tree.finished("a");
  CHECK(tree.read_at(at(9)) == at(8));
}

}  // namespace dynabackup::pipelines
