#include "dynamodb/stream_records.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <simdjson.h>
#include <utility>

#include "dynabackup/error.hpp"
#include "dynamodb/json_cursor.hpp"

namespace dynabackup::dynamodb {
namespace {

using change = stream_record::change;

/// Year 9999: a number of seconds beyond is none that a stream gives.
constexpr double most_seconds = 253'402'300'800.0;
/// Of a name or a value that is read; a shard iterator, the longest of them, has 2 KB.
constexpr std::size_t max_text_bytes = 8192;
/// What DynamoDB Local calls a deletion by TTL, for which AWS says REMOVE.
constexpr std::string_view local_ttl_event = "UNKNOWN_TO_SDK_VERSION";

/// A string token's text, its escapes resolved; nullopt: no string, or none that can be read.
std::optional<std::string> text_of(std::string_view token) {
  if (token.size() < 2 || token.size() > max_text_bytes || token.front() != '"') return std::nullopt;
  if (token.find('\\') == std::string_view::npos) return std::string(token.substr(1, token.size() - 2));
  simdjson::dom::parser parser;
  std::string_view text;
  if (parser.parse(token.data(), token.size()).get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

/// Goes to the next member and gives its name, whatever its spelling; one that cannot be read is none we know.
std::optional<std::string> next_name(json_cursor& at) {
  const auto name = at.next_member();
  if (!name) return std::nullopt;
  return text_of({name->data() - 1, name->size() + 2}).value_or("");
}

/// The members of a record as they come, each at most once. What is wrong with one of them does not hide the others:
/// a record that cannot be read is still told by its sequence number.
struct members {
  std::optional<std::string> event_name, source, source_arn, sequence_number, view_type;
  std::optional<std::string_view> keys, new_image;
  std::optional<double> created;
  bool has_details = false;
  std::string problem;  ///< the first one

  void refuse(std::string_view name, std::string_view why) {
    if (problem.empty()) problem = fmt::format("its {} {}", name, why);
  }
  void take_text(std::optional<std::string>& place, std::string_view name, json_cursor& at) {
    std::optional<std::string> text = text_of(at.value());
    if (!text) return refuse(name, "is no string, or is too long");
    if (place) return refuse(name, "is there twice");
    place = std::move(text);
  }
  void take_object(std::optional<std::string_view>& place, std::string_view name, json_cursor& at) {
    if (!at.is_object()) {
      at.value();
      return refuse(name, "is no object");
    }
    const std::string_view object = at.object();
    if (place) return refuse(name, "is there twice");
    place = object;
  }
};

void read_details(json_cursor& at, members& m) {
  if (std::exchange(m.has_details, true)) m.refuse("member dynamodb", "is there twice");
  if (!at.is_object()) {
    at.value();
    return m.refuse("member dynamodb", "is no object");
  }
  at.enter('{');
  while (const auto name = next_name(at)) {
    if (*name == "Keys") {
      m.take_object(m.keys, *name, at);
    } else if (*name == "NewImage") {
      m.take_object(m.new_image, *name, at);
    } else if (*name == "SequenceNumber") {
      m.take_text(m.sequence_number, *name, at);
    } else if (*name == "StreamViewType") {
      m.take_text(m.view_type, *name, at);
    } else if (*name == "ApproximateCreationDateTime") {
      m.created = at.number_or_nothing();  // another type is like none
    } else {
      at.value();
    }
  }
}

void read_members(json_cursor& at, members& m) {
  at.enter('{');
  while (const auto name = next_name(at)) {
    if (*name == "eventName") {
      m.take_text(m.event_name, *name, at);
    } else if (*name == "eventSource") {
      m.take_text(m.source, *name, at);
    } else if (*name == "eventSourceARN") {
      m.take_text(m.source_arn, *name, at);
    } else if (*name == "dynamodb") {
      read_details(at, m);
    } else {
      at.value();
    }
  }
  at.end();
}

bool is_sequence_number(std::string_view text) {
  return !text.empty() && text.size() <= max_sequence_digits &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::chrono::milliseconds since_epoch(std::optional<double> seconds) {
  if (!seconds || !(*seconds > 0 && *seconds < most_seconds)) return {};
  return std::chrono::milliseconds{std::llround(*seconds * 1000)};
}

bool has_new_images(std::string_view view) { return view == "NEW_IMAGE" || view == "NEW_AND_OLD_IMAGES"; }

bool is_view_type(std::string_view view) { return has_new_images(view) || view == "OLD_IMAGE" || view == "KEYS_ONLY"; }

/// Why the record cannot be followed; empty: it can, and `r.what` says how.
std::string decide(const members& m, stream_record& r) {
  if (!m.problem.empty()) return m.problem;
  if (!m.has_details) return "it has no member dynamodb";
  if (!m.event_name) return "it has no eventName";
  if (r.sequence_number.empty())
    return m.sequence_number ? "its SequenceNumber is not 1 to 40 digits" : "it has no SequenceNumber";
  if (!m.keys) return "it has no Keys";
  if (!m.view_type) return "it has no StreamViewType";
  if (!is_view_type(r.view_type)) return "its StreamViewType is unknown";
  const bool local_ttl = *m.event_name == local_ttl_event && !m.new_image;
  if (*m.event_name == "REMOVE" || local_ttl) {
    r.what = change::remove;
    return {};
  }
  if (*m.event_name != "INSERT" && *m.event_name != "MODIFY") return "its eventName is none of INSERT, MODIFY, REMOVE";
  if (has_new_images(r.view_type)) {
    if (!m.new_image) return "it has no NewImage";
    r.new_image = *m.new_image;
  }
  r.what = change::put;
  return {};
}

stream_record read_record(std::string_view raw, const json_cursor& document) {
  stream_record r;
  r.raw = raw;
  members m;
  try {
    json_cursor at(raw, "it");
    read_members(at, m);
  } catch (const format_error& e) {
    r.problem = e.what();
  }
  // Queues and topics send Records too.
  if (m.source && *m.source != "aws:dynamodb") document.fail("a record of another service than DynamoDB");
  if (m.sequence_number && is_sequence_number(*m.sequence_number)) r.sequence_number = *m.sequence_number;
  r.keys = m.keys.value_or(std::string_view());
  r.changed_at = since_epoch(m.created);
  r.view_type = m.view_type.value_or("");
  r.source_arn = m.source_arn.value_or("");
  if (r.problem.empty()) r.problem = decide(m, r);
  return r;
}

stream_records read_document(std::string body, std::string_view what, bool answer) {
  stream_records result;
  result.document = std::move(body);
  // A short text would lie inside the string itself, and its slices would not outlive a move.
  result.document.reserve(64);
  json_cursor at(result.document, what);
  bool has_records = false;
  at.enter('{');
  while (const auto name = next_name(at)) {
    if (*name == "Records") {
      if (std::exchange(has_records, true)) at.fail("Records twice");
      at.enter('[');
      while (at.next_element()) {
        if (result.records.size() == max_stream_records) at.fail("more records than a batch can have");
        result.records.push_back(read_record(at.value(), at));
      }
    } else if (answer && *name == "NextShardIterator") {
      const std::string_view token = at.value();
      if (token == "null") continue;
      if (result.next_iterator) at.fail("NextShardIterator twice");
      result.next_iterator = text_of(token);
      if (!result.next_iterator || result.next_iterator->empty()) at.fail("NextShardIterator is no string");
    } else {
      at.value();
    }
  }
  at.end();
  if (!has_records) at.fail("no Records");
  return result;
}

}  // namespace

stream_records read_stream_event(std::string body) { return read_document(std::move(body), "stream event", false); }

stream_records read_get_records(std::string body) { return read_document(std::move(body), "GetRecords answer", true); }

bool sequence_less(std::string_view a, std::string_view b) {
  a.remove_prefix(std::min(a.find_first_not_of('0'), a.size()));
  b.remove_prefix(std::min(b.find_first_not_of('0'), b.size()));
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

std::optional<stream_name> parse_stream_arn(std::string_view arn) {
  constexpr std::string_view before_table = ":table/";
  constexpr std::string_view before_label = "/stream/";
  constexpr std::size_t longest = 1024;
  const std::size_t table = arn.find(before_table);
  const std::size_t label = arn.find(before_label);
  if (arn.size() > longest || !arn.starts_with("arn:") || table == std::string_view::npos ||
      label == std::string_view::npos || label < table)
    return std::nullopt;
  const auto plain = [](std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '/' && c != '"'; });
  };
  stream_name name{std::string(arn.substr(table + before_table.size(), label - table - before_table.size())),
                   std::string(arn.substr(label + before_label.size()))};
  if (!plain(name.table) || !plain(name.label)) return std::nullopt;
  return name;
}

}  // namespace dynabackup::dynamodb
