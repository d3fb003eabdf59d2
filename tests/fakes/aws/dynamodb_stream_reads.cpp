// ListStreams, DescribeStream, GetShardIterator, GetRecords.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>

#include "fakes/aws/dynamodb_state.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes {
namespace {

constexpr std::size_t max_streams = 100;
constexpr std::size_t max_shards = 100;
constexpr std::size_t max_records = 1000;
constexpr std::size_t max_record_bytes = std::size_t{1} << 20;
constexpr std::chrono::minutes iterator_life{15};

change_stream& stream_of(dynamodb_state& s, const std::string& arn) {
  for (const auto& stream : s.streams) {
    if (stream->arn != arn) continue;
    stream->trim(s.now());
    return *stream;
  }
  throw api_error{"ResourceNotFoundException", fmt::format("Requested resource not found: Stream: {} not found", arn)};
}

stream_shard& shard_of(change_stream& stream, const std::string& id) {
  for (stream_shard& shard : stream.shards) {
    if (shard.id == id) return shard;
  }
  throw api_error{"ResourceNotFoundException",
                  fmt::format("Requested resource not found: Shard: {} in Stream: {} not found", id, stream.arn)};
}

api_error trimmed() {
  return {"TrimmedDataAccessException", "The operation attempted to read past the oldest stream record in a shard"};
}

/// The inverse of sequence_number.
std::uint64_t sequence_of(const std::string& number) {
  if (number.size() < 21) throw validation("Invalid SequenceNumber");
  std::uint64_t n = 0;
  const std::string tail = number.size() > 21 ? number.substr(number.size() - 18) : number.substr(number.size() - 1);
  std::from_chars(tail.data(), tail.data() + tail.size(), n);
  if (number.size() > 21) n += 10;
  if (sequence_number(n) != number) throw validation("Invalid SequenceNumber");
  return n;
}

/// Where a reader is in a shard. Records before `next` are behind it.
struct place_in_shard {
  std::string stream;
  std::string shard;
  std::uint64_t next;
  bool at_horizon;  ///< it takes what is left, whatever was trimmed
  wall_time issued;
};

std::string spelled(const place_in_shard& p) {
  return text::base64(fmt::format("{}|{}|{}|{}|{}", p.stream, p.shard, p.next, p.at_horizon ? 1 : 0,
                                  p.issued.time_since_epoch().count()));
}

place_in_shard read_iterator(const std::string& text) {
  const std::string plain = text::unbase64(text).value_or("");
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t end = 0; end != std::string::npos; begin = end + 1) {
    end = plain.find('|', begin);
    parts.push_back(plain.substr(begin, end == std::string::npos ? end : end - begin));
  }
  place_in_shard p{};
  std::int64_t issued = 0;
  const auto number = [](const std::string& from, auto& to) {
    const auto [end, problem] = std::from_chars(from.data(), from.data() + from.size(), to);
    return problem == std::errc() && end == from.data() + from.size();
  };
  if (parts.size() != 5 || !number(parts[2], p.next) || !number(parts[4], issued)) {
    throw validation("Invalid ShardIterator");
  }
  p.stream = parts[0];
  p.shard = parts[1];
  p.at_horizon = parts[3] == "1";
  p.issued = wall_time(std::chrono::milliseconds(issued));
  return p;
}

std::string shard_json(const stream_shard& shard) {
  std::string result = fmt::format(R"({{"ShardId":"{}","SequenceNumberRange":{{"StartingSequenceNumber":"{}")",
                                   shard.id, sequence_number(shard.first));
  if (shard.last) result += fmt::format(R"(,"EndingSequenceNumber":"{}")", sequence_number(*shard.last));
  result += '}';
  if (!shard.parent.empty()) result += fmt::format(R"(,"ParentShardId":"{}")", shard.parent);
  return result + '}';
}

struct told_change {
  std::string json;
  std::size_t bytes;
};

told_change told(const dynamodb_state& s, const change_stream& stream, const table_change& c) {
  const bool new_image = c.after && (stream.view_type == "NEW_IMAGE" || stream.view_type == "NEW_AND_OLD_IMAGES");
  const bool old_image = c.before && (stream.view_type == "OLD_IMAGE" || stream.view_type == "NEW_AND_OLD_IMAGES");
  const std::size_t bytes =
      item_size(c.key) + (new_image ? item_size(*c.after) : 0) + (old_image ? item_size(*c.before) : 0);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(c.at).time_since_epoch().count();
  std::string json = fmt::format(
      R"({{"eventID":"{:032x}","eventName":"{}","eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"{}",)"
      R"("dynamodb":{{"ApproximateCreationDateTime":{},"Keys":{})",
      std::hash<std::string>()(stream.arn) ^ (c.sequence * 0x9E3779B97F4A7C15),
      !c.before ? "INSERT"
      : c.after ? "MODIFY"
                : "REMOVE",
      s.traits.region, seconds, c.key);
  if (new_image) json += R"(,"NewImage":)" + *c.after;
  if (old_image) json += R"(,"OldImage":)" + *c.before;
  json += fmt::format(R"(,"SequenceNumber":"{}","SizeBytes":{},"StreamViewType":"{}"}}}})", sequence_number(c.sequence),
                      bytes, stream.view_type);
  return {std::move(json), bytes};
}

}  // namespace

std::string list_streams(dynamodb_state& s, const members& m) {
  m.allow({"TableName", "Limit", "ExclusiveStartStreamArn"});
  const auto table = m.text("TableName");
  const auto after = m.text("ExclusiveStartStreamArn");
  const std::size_t limit = std::min<std::size_t>(max_streams, m.number("Limit").value_or(max_streams));
  std::map<std::string, const change_stream*> known;
  for (const auto& stream : s.streams) {
    stream->trim(s.now());
    const bool gone = !stream->enabled && stream->shards.empty();
    if (!gone && (!table || *table == stream->table)) known.emplace(stream->arn, stream.get());
  }
  std::string list, more;
  std::size_t count = 0;
  for (auto at = after ? known.upper_bound(*after) : known.begin(); at != known.end(); ++at) {
    if (count++ == limit) {
      more = R"(,"LastEvaluatedStreamArn":)" + json_string(std::prev(at)->first);
      break;
    }
    list += fmt::format(R"({}{{"StreamArn":{},"TableName":{},"StreamLabel":{}}})", list.empty() ? "" : ",",
                        json_string(at->first), json_string(at->second->table), json_string(at->second->label));
  }
  return R"({"Streams":[)" + list + ']' + more + '}';
}

std::string describe_stream(dynamodb_state& s, const members& m) {
  m.allow({"StreamArn", "Limit", "ExclusiveStartShardId"});
  const change_stream& stream = stream_of(s, m.require_text("StreamArn"));
  const std::size_t limit = std::min<std::size_t>(max_shards, m.number("Limit").value_or(max_shards));
  const auto after = m.text("ExclusiveStartShardId");
  std::string list, last, more;
  std::size_t count = 0;
  for (const stream_shard& shard : stream.shards) {
    if (after && shard.id <= *after) continue;
    if (count++ == limit) {
      more = R"(,"LastEvaluatedShardId":)" + json_string(last);
      break;
    }
    if (!list.empty()) list += ',';
    list += shard_json(shard);
    last = shard.id;
  }
  return fmt::format(
      R"({{"StreamDescription":{{"StreamArn":{},"StreamLabel":{},"StreamStatus":"{}","StreamViewType":"{}",)"
      R"("CreationRequestDateTime":{},"TableName":{},"KeySchema":{},"Shards":[{}]{}}}}})",
      json_string(stream.arn), json_string(stream.label), stream.enabled ? "ENABLED" : "DISABLED", stream.view_type,
      epoch_seconds(stream.created), json_string(stream.table), key_schema_json(stream.key), list, more);
}

std::string shard_iterator(dynamodb_state& s, const members& m) {
  m.allow({"StreamArn", "ShardId", "ShardIteratorType", "SequenceNumber"});
  change_stream& stream = stream_of(s, m.require_text("StreamArn"));
  const stream_shard& shard = shard_of(stream, m.require_text("ShardId"));
  const std::string type = m.require_text("ShardIteratorType");
  place_in_shard p{stream.arn, shard.id, shard.first, type == "TRIM_HORIZON", s.now()};
  if (type == "LATEST") {
    p.next = shard.records.empty() ? shard.trimmed_to : shard.records.back().sequence + 1;
  } else if (type == "AT_SEQUENCE_NUMBER" || type == "AFTER_SEQUENCE_NUMBER") {
    const std::uint64_t named = sequence_of(m.require_text("SequenceNumber"));
    if (named < shard.first || (shard.last && named > *shard.last)) {
      throw validation("Invalid SequenceNumber: it is not of this shard");
    }
    // Also behind a record that nothing came after: it is the named one that must be kept.
    if (named < shard.trimmed_to) throw trimmed();
    p.next = type == "AT_SEQUENCE_NUMBER" ? named : named + 1;
  } else if (type != "TRIM_HORIZON") {
    throw validation(
        "Member must satisfy enum value set: [AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, "
        "TRIM_HORIZON]");
  }
  return R"({"ShardIterator":)" + json_string(spelled(p)) + '}';
}

std::string stream_records(dynamodb_state& s, const members& m) {
  m.allow({"ShardIterator", "Limit"});
  place_in_shard p = read_iterator(m.require_text("ShardIterator"));
  if (p.issued + iterator_life < s.now()) throw api_error{"ExpiredIteratorException", "Iterator expired"};
  const std::uint64_t limit = m.number("Limit").value_or(max_records);
  if (limit < 1 || limit > max_records) throw validation("1 validation error detected: Limit must be 1 to 1000");
  change_stream& stream = stream_of(s, p.stream);
  const stream_shard& shard = shard_of(stream, p.shard);
  if (p.next < shard.trimmed_to && !p.at_horizon) throw trimmed();
  auto at = std::partition_point(shard.records.begin(), shard.records.end(),
                                 [&](const table_change& c) { return c.sequence < p.next; });
  std::string list;
  std::size_t bytes = 0;
  for (std::uint64_t count = 0; count < limit && at != shard.records.end(); ++count, ++at) {
    const told_change one = told(s, stream, *at);
    if (count > 0 && bytes + one.bytes > max_record_bytes) break;
    bytes += one.bytes;
    if (!list.empty()) list += ',';
    list += one.json;
    p.next = at->sequence + 1;
    p.at_horizon = false;
  }
  std::string result = R"({"Records":[)" + list + ']';
  if (at == shard.records.end() && shard.last) return result + '}';
  p.issued = s.now();
  return result + R"(,"NextShardIterator":)" + json_string(spelled(p)) + '}';
}

}  // namespace dynabackup::fakes
