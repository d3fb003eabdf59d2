// GetItem, BatchGetItem, Scan.
#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "fakes/aws/dynamodb_state.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t max_batch_keys = 100;
constexpr std::size_t max_batch_bytes = std::size_t{16} << 20;
constexpr std::uint64_t max_segments = 1'000'000;

/// The item as the table spells it in an answer.
std::optional<stored_item> read(dynamodb_state& s, const table_state& t, const std::string& key, bool consistent) {
  if (t.synthetic) {
    const auto i = synthetic_items::index(key);
    if (!i || *i >= t.synthetic->count) return std::nullopt;
    stored_item item{{}, t.synthetic->items.size()};
    t.synthetic->items.append(item.text, *i);
    return item;
  }
  if (const auto moment = s.read_moment(consistent)) return t.store.find_as_of(key, *moment);
  const stored_item* found = t.store.find(key);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

/// To a list of JSON values.
void append(std::string& list, std::string_view value) { (list += list.empty() ? "" : ",") += value; }

struct page_request {
  table_state& table;
  std::uint64_t segment = 0;
  std::uint64_t total = 1;
  std::optional<std::string> after = std::nullopt;
  std::size_t limit = 0;  ///< items
  bool counts_only = false;
  bool consistent = false;
};

struct page {
  std::string items;
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::string last;  ///< canonical key; empty: the end was reached
};

void read_segment(const members& m, page_request& p) {
  const auto total = m.number("TotalSegments");
  const auto segment = m.number("Segment");
  if (total.has_value() != segment.has_value()) {
    throw validation(total ? "The Segment parameter is required but was not present in the request when parameter "
                             "TotalSegments is present"
                           : "The TotalSegments parameter is required but was not present in the request when Segment "
                             "parameter is present");
  }
  if (!total) return;
  if (*total < 1 || *total > max_segments) {
    throw validation(
        fmt::format("1 validation error detected: Value '{}' at 'totalSegments' failed to satisfy "
                    "constraint: Member must have value {} than or equal to {}",
                    *total, *total < 1 ? "greater" : "less", *total < 1 ? 1 : max_segments));
  }
  if (*segment >= *total) {
    throw validation(
        fmt::format("The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                    "Segment: {} is not less than TotalSegments: {}",
                    *segment, *total));
  }
  p.segment = *segment;
  p.total = *total;
}

/// Of a synthetic table: the indices of a segment.
std::pair<std::uint64_t, std::uint64_t> indices(const page_request& p) {
  __extension__ using wide = unsigned __int128;
  const auto begin = [&](std::uint64_t segment) {
    return static_cast<std::uint64_t>(wide{p.table.synthetic->count} * segment / p.total);
  };
  return {begin(p.segment), begin(p.segment + 1)};
}

bool in_segment(const page_request& p, const std::string& key) {
  if (p.table.synthetic) {
    const auto i = synthetic_items::index(key);
    const auto [first, end] = indices(p);
    return i && first <= *i && *i < end;
  }
  const hash_range range = segment_range(p.segment, p.total);
  const std::uint64_t hash = p.table.store.keys().place(key).hash;
  return range.first <= hash && hash <= range.last;
}

page_request read_page_request(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "TotalSegments", "Segment", "ExclusiveStartKey", "Limit", "ConsistentRead",
           "ReturnConsumedCapacity", "Select"});
  page_request p{.table = s.table(m.require_text("TableName"))};
  read_segment(m, p);
  p.limit = m.number("Limit").value_or(~std::uint64_t{0});
  if (p.limit == 0) {
    throw validation(
        "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have "
        "value greater than or equal to 1");
  }
  if (s.traits.page_items > 0) p.limit = std::min(p.limit, s.traits.page_items);
  const std::string select = m.text("Select").value_or("ALL_ATTRIBUTES");
  if (select != "ALL_ATTRIBUTES" && select != "COUNT") throw validation("this fake knows ALL_ATTRIBUTES and COUNT");
  p.counts_only = select == "COUNT";
  p.consistent = m.flag("ConsistentRead");
  if (const auto start = m.raw("ExclusiveStartKey")) {
    try {
      p.after = s.checked_key(p.table, *start);
    } catch (const api_error& e) {
      throw validation("The provided starting key is invalid: " + e.message);
    }
    if (!in_segment(p, *p.after)) {
      throw validation(
          fmt::format("The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
                      "ExclusiveStartKey with correct Segment. TotalSegments: {} Segment: {}",
                      p.total, p.segment));
    }
  }
  return p;
}

page synthetic_page(const page_request& p, std::size_t page_bytes) {
  const auto [first, end] = indices(p);
  const std::uint64_t from = p.after ? *synthetic_items::index(*p.after) + 1 : first;
  const synthetic_source& source = *p.table.synthetic;
  const std::uint64_t fitting = (page_bytes + source.items.size() - 1) / source.items.size();
  const std::uint64_t full = std::min<std::uint64_t>(p.limit, std::max<std::uint64_t>(1, fitting));
  page result;
  result.count = std::min(full, end - from);
  result.bytes = result.count * source.items.size();
  if (!p.counts_only) {
    result.items.reserve(result.count * (std::max<std::size_t>(source.item_bytes, 512) + 1));
    for (std::uint64_t i = from; i < from + result.count; ++i) {
      if (i > from) result.items += ',';
      source.items.append(result.items, i);
    }
  }
  if (result.count == full) result.last = synthetic_items::key(from + full - 1);
  return result;
}

page stored_page(dynamodb_state& s, const page_request& p) {
  page result;
  const auto take = [&](const std::string& key, const stored_item& found) {
    if (!p.counts_only) {
      if (result.count > 0) result.items += ',';
      result.items += found.text;
    }
    ++result.count;
    result.bytes += found.size;
    if (result.count < p.limit && result.bytes < s.traits.page_bytes) return true;
    result.last = key;
    return false;
  };
  p.table.store.visit(segment_range(p.segment, p.total), p.after, s.read_moment(p.consistent), take);
  return result;
}

/// One table's part of a BatchGetItem.
struct batch_get {
  std::string items;
  std::string unread;  ///< keys, when 16 MB were reached
  double units = 0;
};

batch_get read_keys(dynamodb_state& s, table_state& t, const members& request, std::size_t& bytes) {
  request.allow({"Keys", "ConsistentRead"});
  const bool consistent = request.flag("ConsistentRead");
  std::set<std::string> keys;
  for (const auto raw : elements(request.require("Keys"))) {
    if (!keys.insert(s.checked_key(t, raw)).second) throw validation("Provided list of item keys contains duplicates");
  }
  batch_get result;
  for (const std::string& key : keys) {
    if (bytes >= max_batch_bytes) {
      append(result.unread, key);
      continue;
    }
    const auto item = read(s, t, key, consistent);
    const std::size_t size = item ? item->size : 0;
    bytes += size;
    result.units += read_units(size, consistent);
    if (item) append(result.items, item->text);
  }
  t.counted.read_units += result.units;
  return result;
}

}  // namespace

std::string get_item(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "Key", "ConsistentRead", "ReturnConsumedCapacity"});
  table_state& t = s.table(m.require_text("TableName"));
  const capacity asked = capacity_asked(m);
  const bool consistent = m.flag("ConsistentRead");
  const auto item = read(s, t, s.checked_key(t, m.require("Key")), consistent);
  const double units = read_units(item ? item->size : 0, consistent);
  t.counted.read_units += units;
  std::string result = "{";
  if (item) result += R"("Item":)" + item->text;
  if (asked != capacity::none) {
    result += fmt::format(R"({}"ConsumedCapacity":{})", item ? "," : "", capacity_json(t.name, units, asked));
  }
  return result + '}';
}

std::string scan(dynamodb_state& s, const members& m) {
  const page_request p = read_page_request(s, m);
  const capacity asked = capacity_asked(m);
  const page found = p.table.synthetic ? synthetic_page(p, s.traits.page_bytes) : stored_page(s, p);
  const double units = read_units(found.bytes, p.consistent);
  p.table.counted.read_units += units;
  std::string result;
  result.reserve(found.items.size() + 1024 + response::body_padding);
  result += '{';
  if (!p.counts_only) ((result += R"("Items":[)") += found.items) += "],";
  result += fmt::format(R"("Count":{0},"ScannedCount":{0})", found.count);
  if (!found.last.empty()) (result += R"(,"LastEvaluatedKey":)") += found.last;
  if (asked != capacity::none) (result += R"(,"ConsumedCapacity":)") += capacity_json(p.table.name, units, asked);
  return result += '}';
}

std::string batch_get_item(dynamodb_state& s, const members& m) {
  m.allow({"RequestItems", "ReturnConsumedCapacity"});
  const capacity asked = capacity_asked(m);
  const members tables(m.require("RequestItems"));
  std::size_t count = 0;
  for (const auto& [name, request] : tables) count += elements(members(request).require("Keys")).size();
  if (count > max_batch_keys) throw validation("Too many items requested for the BatchGetItem call");
  if (count == 0) throw validation("1 validation error detected: Value at 'requestItems' must not be empty");
  std::string responses;
  std::string left;
  std::string capacities;
  std::size_t bytes = 0;
  for (const auto& [name, raw] : tables) {
    const members request(raw);
    table_state& t = s.table(name);
    const batch_get found = read_keys(s, t, request, bytes);
    const std::string spelled = json_string(name);
    append(responses, fmt::format("{}:[{}]", spelled, found.items));
    append(capacities, capacity_json(t.name, found.units, asked));
    if (found.unread.empty()) continue;
    append(left, fmt::format(R"({}:{{"Keys":[{}],"ConsistentRead":{}}})", spelled, found.unread,
                             request.flag("ConsistentRead")));
  }
  std::string result = fmt::format(R"({{"Responses":{{{}}},"UnprocessedKeys":{{{}}})", responses, left);
  if (asked != capacity::none) result += R"(,"ConsumedCapacity":[)" + capacities + ']';
  return result + '}';
}

}  // namespace dynabackup::fakes
