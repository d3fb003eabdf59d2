#include "dynamodb/client.hpp"

#include <fmt/format.h>

#include "dynabackup/error.hpp"
#include "dynamodb/json_cursor.hpp"

namespace dynabackup::dynamodb {
namespace {

/// A number of one digit may be spelt in 126: the 400 KB of an item can be 19 MB of JSON, the 1 MB of a page far more
/// than an ordinary page's.
constexpr std::size_t max_bulk_bytes = std::size_t{64} << 20;
constexpr std::size_t max_item_bytes = std::size_t{32} << 20;
constexpr std::size_t max_small_bytes = std::size_t{8} << 20;

/// {"Item":{…}}, or {} when there is none.
std::optional<std::string> read_item(std::string_view body) {
  std::optional<std::string> item;
  json_cursor at(body, "GetItem answer");
  at.enter('{');
  while (const auto name = at.next_member()) {
    if (*name != "Item") {
      at.value();
      continue;
    }
    if (item) at.fail("Item twice");
    const std::string_view found = at.object();
    item.emplace();
    item->reserve(found.size() + response::body_padding);
    item->append(found);
  }
  at.end();
  return item;
}

}  // namespace

client::client(transport& network, origin at, std::string base_path)
    : service_{network, std::move(at), base_path.empty() ? "/" : std::move(base_path), "DynamoDB_20120810"} {}

task<response> client::call(std::string_view operation, const std::string& table, std::string body, byte_budget* budget,
                            std::size_t max_response_bytes) {
  return send_call(service_, {operation, table, std::move(body), budget, max_response_bytes});
}

task<table_description> client::describe_table(std::string table) {
  std::string body = fmt::format(R"({{"TableName":{}}})", json_text(table));
  const response answer = co_await call("DescribeTable", table, std::move(body), nullptr, max_small_bytes);
  co_return read_table_description(answer.body);
}

task<void> client::enable_stream(std::string table) {
  std::string body = fmt::format(
      R"({{"TableName":{},"StreamSpecification":{{"StreamEnabled":true,"StreamViewType":"NEW_AND_OLD_IMAGES"}}}})",
      json_text(table));
  co_await call("UpdateTable", table, std::move(body), nullptr, max_small_bytes);
}

task<scan_page> client::scan(std::string table, segment part, std::optional<std::string> start, scan_options options) {
  std::string body =
      fmt::format(R"({{"TableName":{},"TotalSegments":{},"Segment":{})", json_text(table), part.total, part.number);
  if (start) body += R"(,"ExclusiveStartKey":)" + *start;
  if (options.consistent) body += R"(,"ConsistentRead":true)";
  if (options.limit > 0) body += fmt::format(R"(,"Limit":{})", options.limit);
  body += R"(,"ReturnConsumedCapacity":"TOTAL"})";
  response answer = co_await call("Scan", table, std::move(body), options.budget, max_bulk_bytes);
  co_return scan_page(std::move(answer));
}

task<write_outcome> client::batch_write_item(std::string body, std::string table) {
  const response answer = co_await call("BatchWriteItem", table, std::move(body), nullptr, max_bulk_bytes);
  write_outcome outcome = read_write_outcome(answer.body);
  outcome.unsettled = answer.unsettled;
  co_return outcome;
}

task<std::optional<std::string>> client::get_item(std::string table, std::string key_json) {
  std::string body = fmt::format(R"({{"TableName":{},"Key":{},"ConsistentRead":true}})", json_text(table), key_json);
  const response answer = co_await call("GetItem", table, std::move(body), nullptr, max_item_bytes);
  co_return read_item(answer.body);
}

}  // namespace dynabackup::dynamodb
