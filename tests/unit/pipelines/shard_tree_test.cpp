#include "pipelines/shard_tree.hpp"

#include <doctest/doctest.h>

namespace dynabackup::pipelines {
namespace {

using names = std::vector<std::string>;

}  // namespace

TEST_CASE("a child waits for its parent, grandchildren for the child") {
  shard_tree tree;
  CHECK(tree.listed({{"a", "", true}, {"b", "a", true}, {"c", "a", false}, {"d", "b", false}}).shards.empty());
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
  const shard_tree::losses lost = tree.listed({{"b", "a", false}});
  CHECK(lost.shards.empty());
  CHECK_FALSE(lost.unseen);
  CHECK(tree.ready() == names{"b"});
}

TEST_CASE("for who resumes, an unread shard that is gone is a loss, and so is a parent nobody knew") {
  shard_tree tree;
  tree.resume({{"a", "", true, "100"}, {"b", "a", false, "200"}, {"c", "a", false, ""}});
  const shard_tree::losses lost = tree.listed({{"c", "a", false}, {"e", "d", false}});
  CHECK(lost.shards == names{"b"});
  CHECK(lost.unseen);
  CHECK(tree.has_unbegun());
  CHECK(tree.ready() == names{"c", "e"});
}

TEST_CASE("a child whose parent was recorded and trimmed is no loss") {
  shard_tree tree;
  tree.resume({{"a", "", true, "100"}});
  const shard_tree::losses lost = tree.listed({{"b", "a", false}});
  CHECK(lost.shards.empty());
  CHECK_FALSE(lost.unseen);
  // a is forgotten: b is known, nobody else is its child
  CHECK(tree.positions().size() == 1);
  CHECK_FALSE(tree.listed({{"b", "a", false}}).unseen);
}

TEST_CASE("a shard that is being read is no loss when it vanishes from the list: its reader tells") {
  shard_tree tree;
  tree.listed({{"a", "", false}});
  CHECK(tree.ready() == names{"a"});
  CHECK(tree.listed({}).shards.empty());
  tree.recorded("a", "7");
  CHECK(tree.position("a") == "7");
}

}  // namespace dynabackup::pipelines
