#include "fakes/aws/fake_dynamodb.hpp"

#include <fmt/format.h>

#include "crypto/crc32.hpp"
#include "dynabackup/error.hpp"
#include "fakes/aws/dynamodb_state.hpp"
#include "fakes/aws/http_date.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t max_request_bytes = std::size_t{16} << 20;

void split(dynamodb_state& s, table_state& t) {
  if (t.stream) t.stream->close(t.changes++, s.now(), 2);
}

/// {"TableName":…}: what fake_dynamodb::split_shards does, for a test on the other side of a socket.
std::string split_shards(dynamodb_state& s, const members& m) {
  split(s, s.table(m.require_text("TableName")));
  return "{}";
}

/// {"Requests":…}: so many of each BatchWriteItem from now on.
std::string process_at_most(dynamodb_state& s, const members& m) {
  s.traits.processed = [most = m.number("Requests").value_or(0)](std::size_t) { return most; };
  return "{}";
}

using operation = std::string (*)(dynamodb_state&, const members&);

const std::map<std::string_view, operation>& operations() {
  static const std::map<std::string_view, operation> all = {
      {"DynamoDB_20120810.CreateTable", create_table},
      {"DynamoDB_20120810.DescribeTable", describe_table},
      {"DynamoDB_20120810.ListTables", list_tables},
      {"DynamoDB_20120810.UpdateTable", update_table},
      {"DynamoDB_20120810.DeleteTable", delete_table},
      {"DynamoDB_20120810.PutItem", put_item},
      {"DynamoDB_20120810.GetItem", get_item},
      {"DynamoDB_20120810.DeleteItem", delete_item},
      {"DynamoDB_20120810.Scan", scan},
      {"DynamoDB_20120810.BatchGetItem", batch_get_item},
      {"DynamoDB_20120810.BatchWriteItem", batch_write_item},
      {"Fake.SplitShards", split_shards},
      {"Fake.ProcessAtMost", process_at_most},
      {"DynamoDBStreams_20120810.ListStreams", list_streams},
      {"DynamoDBStreams_20120810.DescribeStream", describe_stream},
      {"DynamoDBStreams_20120810.GetShardIterator", shard_iterator},
      {"DynamoDBStreams_20120810.GetRecords", stream_records},
  };
  return all;
}

std::string_view header_of(const request& r, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (const header& h : r.headers) {
    if (std::equal(h.name.begin(), h.name.end(), name.begin(), name.end(),
                   [&](char a, char b) { return lower(a) == lower(b); })) {
      return h.value;
    }
  }
  return {};
}

/// AWS names the layer that refuses.
std::string_view name_space(std::string_view code) {
  if (code == "ValidationException") return "com.amazon.coral.validate#";
  if (code == "SerializationException" || code == "UnknownOperationException" ||
      code == "RequestEntityTooLargeException" || code == "InternalFailure") {
    return "com.amazon.coral.service#";
  }
  return "com.amazonaws.dynamodb.v20120810#";
}

std::string error_body(const api_error& e) {
  return fmt::format(R"({{"__type":"{}{}","message":{}{}}})", name_space(e.code), e.code, json_string(e.message),
                     e.members);
}

std::string perform(dynamodb_state& s, const request& r) {
  const auto found = operations().find(header_of(r, "x-amz-target"));
  if (r.method != "POST" || found == operations().end()) throw api_error{"UnknownOperationException", ""};
  ++s.requests[std::string(found->first.substr(found->first.find('.') + 1))];
  if (r.body.size() > max_request_bytes)
    throw api_error{"RequestEntityTooLargeException", "Request entity too large", 413};
  try {
    return found->second(s, members(r.body));
  } catch (const format_error& e) {
    throw api_error{"SerializationException", e.what()};
  }
}

}  // namespace

fake_dynamodb::fake_dynamodb(std::function<wall_time()> now, dynamodb_traits traits)
    : state_(std::make_unique<dynamodb_state>()) {
  state_->now = std::move(now);
  state_->traits = std::move(traits);
}
fake_dynamodb::~fake_dynamodb() = default;
fake_dynamodb::fake_dynamodb(fake_dynamodb&&) noexcept = default;
fake_dynamodb& fake_dynamodb::operator=(fake_dynamodb&&) noexcept = default;

response fake_dynamodb::handle(const request& r) {
  response answer;
  try {
    answer.status = 200;
    answer.body = perform(*state_, r);
  } catch (const api_error& e) {
    answer.status = e.status;
    answer.body = error_body(e);
  } catch (const std::exception& e) {
    answer.status = 500;
    answer.body = error_body({"InternalFailure", e.what()});
  }
  answer.body.reserve(answer.body.size() + response::body_padding);
  answer.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                    {"x-amzn-RequestId", fmt::format("{:052}", ++state_->made)},
                    {"x-amz-crc32", std::to_string(crypto::crc32(answer.body))},
                    {"Date", http_date(state_->now())}};
  return answer;
}

void fake_dynamodb::create_table(const std::string& name, const dynamodb::key_schema& key,
                                 const std::string& stream_view_type) {
  const auto t = state_->add_table(name, key);
  if (!stream_view_type.empty()) state_->open_stream(*t, stream_view_type);
}

void fake_dynamodb::create_synthetic_table(const std::string& name, std::uint64_t count, std::size_t item_bytes) {
  const auto t = state_->add_table(name, {{"id", 'S'}});
  t->synthetic.emplace(synthetic_source{count, item_bytes, synthetic_items(item_bytes)});
}

void fake_dynamodb::put(const std::string& table, const std::string& item) {
  table_state& t = *state_->tables.at(table);
  state_->put(t, state_->checked_item(t, item));
}

bool fake_dynamodb::remove(const std::string& table, const std::string& key) {
  return state_->remove(*state_->tables.at(table), key).has_value();
}

const std::map<std::string, std::string>& fake_dynamodb::items(const std::string& table) const {
  table_state& t = *state_->tables.at(table);
  t.shown.clear();
  t.store.visit({}, std::nullopt, std::nullopt, [&](const std::string& key, const stored_item& item) {
    t.shown.emplace(key, item.text);
    return true;
  });
  return t.shown;
}

void fake_dynamodb::on_change(const std::string& table, std::function<void(const table_change&)> hook) {
  state_->tables.at(table)->hooks.push_back(std::move(hook));
}

void fake_dynamodb::split_shards(const std::string& table) { split(*state_, *state_->tables.at(table)); }

dynamodb_traits& fake_dynamodb::traits() { return state_->traits; }

std::string fake_dynamodb::synthetic_item(std::uint64_t i, std::size_t item_bytes) {
  std::string item;
  synthetic_items(item_bytes).append(item, i);
  return item;
}

}  // namespace dynabackup::fakes
