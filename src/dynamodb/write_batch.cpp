#include "dynamodb/write_batch.hpp"

#include <algorithm>

#include "dynamodb/json_cursor.hpp"
#include "text/codecs.hpp"

namespace dynabackup::dynamodb {
namespace {

constexpr std::string_view before_item = R"({"PutRequest":{"Item":)";
constexpr std::string_view after_item = "}}";
constexpr std::string_view before_tables = R"({"RequestItems":)";
constexpr std::string_view after_tables = R"(,"ReturnConsumedCapacity":"TOTAL"})";

std::size_t put_bytes(std::size_t item_bytes) {
  return before_item.size() + item_bytes + after_item.size() + 1;  // and a comma
}

/// One write request of UnprocessedItems.
void check_request(json_cursor& at) {
  std::size_t members = 0;
  at.enter('{');
  while (const auto name = at.next_member()) {
    if (*name != "PutRequest" && *name != "DeleteRequest") at.fail("no write request");
    at.object();
    ++members;
  }
  if (members != 1) at.fail("no write request");
}

std::size_t count_requests(std::string_view tables) {
  std::size_t requests = 0;
  json_cursor at(tables, "UnprocessedItems of the BatchWriteItem answer");
  at.enter('{');
  while (at.next_member()) {
    at.enter('[');
    while (at.next_element()) {
      check_request(at);
      ++requests;
    }
  }
  if (requests > write_batch::max_items) at.fail("more requests than a batch can hold");
  return requests;
}

double read_capacity(json_cursor& at) {
  double units = 0;
  at.enter('[');
  while (at.next_element()) {
    at.enter('{');
    while (const auto name = at.next_member()) {
      if (*name == "CapacityUnits") {
        units += at.number();
      } else {
        at.value();
      }
    }
  }
  return units;
}

}  // namespace

write_batch::write_batch(std::string_view table, std::size_t soft_limit_bytes)
    : table_(table), soft_limit_(soft_limit_bytes) {}

bool write_batch::fits(std::size_t item_bytes) const {
  if (entries_.empty()) return true;
  if (entries_.size() == max_items) return false;
  // Room for the frame around the puts; an escaped table name takes six bytes a byte at the most.
  const std::size_t frame = before_tables.size() + after_tables.size() + 6 * table_.size() + 8;
  return puts_.size() + put_bytes(item_bytes) <= std::min(soft_limit_, max_bytes - std::min(max_bytes, frame));
}

void write_batch::add(std::string_view item, std::uint64_t tag) {
  if (!entries_.empty()) puts_ += ',';
  puts_ += before_item;
  entries_.push_back({puts_.size(), item.size(), tag});
  puts_ += item;
  puts_ += after_item;
}

void write_batch::replace(std::size_t i, std::string_view item, std::uint64_t tag) {
  entry& changed = entries_[i];
  puts_.replace(changed.offset, changed.length, item);
  for (std::size_t later = i + 1; later < entries_.size(); ++later) {
    entries_[later].offset = entries_[later].offset - changed.length + item.size();
  }
  changed.length = item.size();
  changed.tag = tag;
}

std::string_view write_batch::item(std::size_t i) const {
  return std::string_view(puts_).substr(entries_[i].offset, entries_[i].length);
}

write_batch write_batch::split() {
  write_batch second(table_, soft_limit_);
  const std::size_t keep = (entries_.size() + 1) / 2;
  for (std::size_t i = keep; i < entries_.size(); ++i) second.add(item(i), tag(i));
  if (!second.empty()) {
    entries_.resize(keep);
    puts_.resize(entries_.back().offset + entries_.back().length + after_item.size());
  }
  return second;
}

std::string write_batch::body() const {
  std::string table;
  text::append_json_string(table, table_);
  std::string result;
  result.reserve(before_tables.size() + table.size() + puts_.size() + after_tables.size() + 5);
  result += before_tables;
  result += '{';
  result += table;
  result += ":[";
  result += puts_;
  result += "]}";
  result += after_tables;
  return result;
}

write_outcome read_write_outcome(std::string_view body) {
  write_outcome outcome;
  std::optional<std::string_view> unprocessed;
  json_cursor at(body, "BatchWriteItem answer");
  at.enter('{');
  while (const auto name = at.next_member()) {
    if (*name == "UnprocessedItems") {
      if (unprocessed) at.fail("UnprocessedItems twice");
      unprocessed = at.object();
    } else if (*name == "ConsumedCapacity") {
      outcome.consumed_capacity = read_capacity(at);
    } else {
      at.value();
    }
  }
  at.end();
  if (!unprocessed) at.fail("no UnprocessedItems");
  outcome.unprocessed_items = count_requests(*unprocessed);
  if (outcome.unprocessed_items > 0) {
    outcome.unprocessed.reserve(before_tables.size() + unprocessed->size() + after_tables.size());
    outcome.unprocessed.append(before_tables).append(*unprocessed).append(after_tables);
  }
  return outcome;
}

}  // namespace dynabackup::dynamodb
