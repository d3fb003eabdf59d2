// PutItem, DeleteItem, BatchWriteItem.
#include <algorithm>
#include <fmt/format.h>

#include "fakes/aws/dynamodb_state.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t max_requests = 25;

/// attribute_exists(a) and attribute_not_exists(a), joined by AND.
class condition {
 public:
  explicit condition(const members& m) {
    const auto expression = m.text("ConditionExpression");
    if (!expression) return;
    const members names(m.raw("ExpressionAttributeNames").value_or("{}"));
    std::string_view rest = *expression;
    while (true) {
      const std::size_t end = rest.find(" AND ");
      add(rest.substr(0, end), names);
      if (end == std::string_view::npos) return;
      rest.remove_prefix(end + 5);
    }
  }

  [[nodiscard]] bool holds(const stored_item* item) const {
    for (const auto& [attribute, exists] : clauses_) {
      const bool there = item != nullptr && members(item->text).raw(attribute).has_value();
      if (there != exists) return false;
    }
    return true;
  }

 private:
  void add(std::string_view clause, const members& names) {
    std::string text;
    for (const char c : clause) {
      if (c != ' ') text += c;
    }
    const std::size_t open = text.find('(');
    const std::string function = text.substr(0, open);
    if ((function != "attribute_exists" && function != "attribute_not_exists") || !text.ends_with(')')) {
      throw validation("Invalid ConditionExpression: this fake knows attribute_exists and attribute_not_exists");
    }
    std::string attribute = text.substr(open + 1, text.size() - open - 2);
    if (attribute.starts_with('#')) {
      const auto meant = names.text(attribute);
      if (!meant) {
        throw validation(
            fmt::format("Invalid ConditionExpression: An expression attribute name used in the document "
                        "path is not defined; attribute name: {}",
                        attribute));
      }
      attribute = *meant;
    }
    clauses_.emplace_back(attribute, function == "attribute_exists");
  }

  std::vector<std::pair<std::string, bool>> clauses_;
};

void check(const condition& wanted, const stored_item* there, const members& m) {
  if (wanted.holds(there)) return;
  const bool old = m.text("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" && there != nullptr;
  throw api_error{"ConditionalCheckFailedException", "The conditional request failed", 400,
                  old ? R"(,"Item":)" + there->text : ""};
}

/// The answer of PutItem and DeleteItem.
std::string single_answer(const members& m, const table_state& t, const std::optional<stored_item>& before,
                          double units) {
  std::string result = "{";
  if (before && m.text("ReturnValues") == "ALL_OLD") result += R"("Attributes":)" + before->text;
  if (const capacity asked = capacity_asked(m); asked != capacity::none) {
    result +=
        fmt::format(R"({}"ConsumedCapacity":{})", result.size() > 1 ? "," : "", capacity_json(t.name, units, asked));
  }
  return result + '}';
}

void check_return_values(const members& m) {
  const std::string wanted = m.text("ReturnValues").value_or("NONE");
  if (wanted != "NONE" && wanted != "ALL_OLD") throw validation("ReturnValues can only be ALL_OLD or NONE");
}

struct write_request {
  table_state* table;
  std::string table_name;
  std::string_view raw;
  item_and_key what;  ///< no item: a delete
};

write_request read_request(dynamodb_state& s, table_state& t, std::string_view raw) {
  const members one(raw);
  const auto put = one.raw("PutRequest");
  const auto remove = one.raw("DeleteRequest");
  if (put.has_value() == remove.has_value() || one.size() != 1) {
    throw validation(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
        "supported datatypes");
  }
  if (put) return {&t, t.name, raw, s.checked_item(t, members(*put).require("Item"))};
  return {&t, t.name, raw, {{}, s.checked_key(t, members(*remove).require("Key"))}};
}

std::vector<write_request> read_batch(dynamodb_state& s, const members& m) {
  std::vector<write_request> batch;
  const members tables(m.require("RequestItems"));
  std::vector<std::vector<std::string_view>> requests_of;
  std::size_t count = 0;
  for (const auto& [name, requests] : tables) {
    requests_of.push_back(elements(requests));
    count += requests_of.back().size();
  }
  if (count == 0) {
    throw validation(
        "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member "
        "must have length greater than or equal to 1");
  }
  if (count > max_requests) throw validation("Too many items requested for the BatchWriteItem call");
  batch.reserve(count);
  for (auto requests = requests_of.begin(); const auto& [name, raw_requests] : tables) {
    table_state& t = s.writable(name);
    const std::size_t first = batch.size();
    for (const auto raw : *requests++) {
      batch.push_back(read_request(s, t, raw));
      const auto same = [&](const write_request& other) { return other.what.key == batch.back().what.key; };
      if (std::any_of(batch.begin() + static_cast<std::ptrdiff_t>(first), batch.end() - 1, same)) {
        throw validation("Provided list of item keys contains duplicates");
      }
    }
  }
  return batch;
}

double charge(table_state& t, std::size_t bytes) {
  const double units = write_units(bytes);
  t.counted.write_units += units;
  return units;
}

double perform(dynamodb_state& s, table_state& t, item_and_key what) {
  const std::size_t size = what.item.size;
  const auto before = size == 0 ? s.remove(t, what.key) : s.put(t, std::move(what));
  return charge(t, std::max(size, before ? before->size : 0));
}

std::string unprocessed_json(const std::vector<write_request>& batch, std::size_t from) {
  std::string result;
  for (std::size_t i = from; i < batch.size(); ++i) {
    const bool same = i > from && batch[i].table_name == batch[i - 1].table_name;
    if (!same) result += fmt::format("{}{}:[", i > from ? "]," : "", json_string(batch[i].table_name));
    if (same) result += ',';
    result += batch[i].raw;
  }
  return result.empty() ? "{}" : '{' + result + "]}";
}

}  // namespace

std::string put_item(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "Item", "ConditionExpression", "ExpressionAttributeNames", "ReturnValues",
           "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValuesOnConditionCheckFailure"});
  table_state& t = s.writable(m.require_text("TableName"));
  const condition wanted(m);
  check_return_values(m);
  item_and_key what = s.checked_item(t, m.require("Item"));
  check(wanted, t.store.find(what.key), m);
  const std::size_t size = what.item.size;
  const auto before = s.put(t, std::move(what));
  const double units = charge(t, std::max(size, before ? before->size : 0));
  return single_answer(m, t, before, units);
}

std::string delete_item(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "Key", "ConditionExpression", "ExpressionAttributeNames", "ReturnValues",
           "ReturnConsumedCapacity", "ReturnItemCollectionMetrics", "ReturnValuesOnConditionCheckFailure"});
  table_state& t = s.writable(m.require_text("TableName"));
  const condition wanted(m);
  check_return_values(m);
  const std::string key = s.checked_key(t, m.require("Key"));
  check(wanted, t.store.find(key), m);
  const auto before = s.remove(t, key);
  const double units = charge(t, before ? before->size : 0);
  return single_answer(m, t, before, units);
}

std::string batch_write_item(dynamodb_state& s, const members& m) {
  m.allow({"RequestItems", "ReturnConsumedCapacity", "ReturnItemCollectionMetrics"});
  const capacity asked = capacity_asked(m);
  std::vector<write_request> batch = read_batch(s, m);
  const std::size_t done = s.traits.processed ? std::min(batch.size(), s.traits.processed(batch.size())) : batch.size();
  if (done == 0 && s.traits.none_processed_is_throttled) {
    throw api_error{"ProvisionedThroughputExceededException",
                    "The level of configured provisioned throughput for the table was exceeded. Consider increasing "
                    "your provisioning level with the UpdateTable API."};
  }
  std::map<std::string, double> units;
  for (std::size_t i = 0; i < done; ++i) {
    units[batch[i].table_name] += perform(s, *batch[i].table, std::move(batch[i].what));
  }
  std::string result = R"({"UnprocessedItems":)" + unprocessed_json(batch, done);
  if (asked != capacity::none) {
    std::string list;
    for (const auto& [table, used] : units) {
      if (!list.empty()) list += ',';
      list += capacity_json(table, used, asked);
    }
    result += R"(,"ConsumedCapacity":[)" + list + ']';
  }
  return result + '}';
}

}  // namespace dynabackup::fakes
