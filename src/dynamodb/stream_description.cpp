#include "dynamodb/stream_description.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"

namespace dynabackup::dynamodb {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

/// DescribeStream answers at most 100 shards a page; a server that answers more is none.
constexpr std::size_t most_shards = 1'000;
/// Ids and iterators are opaque; these bounds are far over any seen.
constexpr std::size_t longest_id = 1'024;
constexpr std::size_t longest_iterator = 16'384;

struct answer_reader {
  std::string_view what;

  [[noreturn]] void fail(std::string_view problem) const { throw format_error(fmt::format("{}: {}", what, problem)); }

  object document(simdjson::dom::parser& parser, std::string_view body) const {
    element root;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS) fail("not JSON");
    object answer;
    if (root.get(answer) != simdjson::SUCCESS) fail("no JSON object");
    return answer;
  }

  template <class T>
  std::optional<T> optional_member(const object& from, std::string_view name) const {
    element found;
    if (from.at_key(name).get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
    T value;
    if (found.get(value) != simdjson::SUCCESS) fail(fmt::format("{} is of another type than it should be", name));
    return value;
  }

  template <class T>
  T member(const object& from, std::string_view name) const {
    const std::optional<T> found = optional_member<T>(from, name);
    if (!found) fail(fmt::format("no {}", name));
    return *found;
  }

  std::string text(const object& from, std::string_view name, std::size_t longest) const {
    return bounded(member<std::string_view>(from, name), name, longest);
  }

  std::string optional_text(const object& from, std::string_view name) const {
    const auto found = optional_member<std::string_view>(from, name);
    return found ? bounded(*found, name, longest_id) : std::string();
  }

  std::string bounded(std::string_view value, std::string_view name, std::size_t longest) const {
    if (value.empty() || value.size() > longest) fail(fmt::format("{} is empty or too long", name));
    return std::string(value);
  }
};

std::vector<stream_shard> read_shards(const answer_reader& read, const array& listed) {
  std::vector<stream_shard> shards;
  for (const element each : listed) {
    object shard;
    if (each.get(shard) != simdjson::SUCCESS) read.fail("Shards holds something else than objects");
    if (shards.size() == most_shards) read.fail("more shards than a page may have");
    shards.push_back({read.text(shard, "ShardId", longest_id), read.optional_text(shard, "ParentShardId")});
  }
  return shards;
}

}  // namespace

stream_page read_stream_page(std::string_view body) {
  const answer_reader read{"DescribeStream answer"};
  simdjson::dom::parser parser;
  const auto stream = read.member<object>(read.document(parser, body), "StreamDescription");
  stream_page page;
  page.status = read.text(stream, "StreamStatus", longest_id);
  page.view_type = read.optional_text(stream, "StreamViewType");
  const std::optional<array> shards = read.optional_member<array>(stream, "Shards");
  if (shards) page.shards = read_shards(read, *shards);
  const std::string next = read.optional_text(stream, "LastEvaluatedShardId");
  if (!next.empty()) page.next = next;
  return page;
}

std::string read_shard_iterator(std::string_view body) {
  const answer_reader read{"GetShardIterator answer"};
  simdjson::dom::parser parser;
  return read.text(read.document(parser, body), "ShardIterator", longest_iterator);
}

}  // namespace dynabackup::dynamodb
