#include "dynamodb/stream_records.hpp"

#include <doctest/doctest.h>
#include <set>
#include <string>
#include <vector>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"
#include "fakes/test_data.hpp"

namespace dynabackup::dynamodb {
namespace {

using change = stream_record::change;

const key_schema order_key{{"pk", 'S'}, {"sk", 'N'}};
const std::string orders_stream = "arn:aws:dynamodb:us-east-1:123456789012:table/Orders/stream/2026-03-01T00:00:00.000";

std::string event_text(const std::string& name) {
  return fakes::file_text(fakes::own_data("events/" + name + ".json"));
}

stream_records event(const std::string& name) { return read_stream_event(event_text(name)); }

std::string canonical(std::string_view item) {
  std::string out;
  archive::canonicalizer().item(item, out);
  return out;
}

std::string record_of(const std::string& details, const std::string& more = R"("eventName":"INSERT")") {
  return "{" + more + R"(,"dynamodb":{)" + details + "}}";
}

const std::string whole_details =
    R"("Keys":{"id":{"S":"x"}},"NewImage":{"id":{"S":"x"}},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")";

stream_record only_record(const std::string& record) {
  stream_records batch = read_stream_event(R"({"Records":[)" + record + "]}");
  REQUIRE(batch.records.size() == 1);
  stream_record r = std::move(batch.records[0]);
  r.raw = r.keys = r.new_image = {};
  return r;
}

/// What each event file comes to: '+' put, '-' remove, '?' undecodable.
struct outcome {
  const char* file;
  const char* records;
};
constexpr outcome outcomes[]{
    {"ddb-stream-insert", "+"},
    {"ddb-stream-modify", "+"},
    {"ddb-stream-remove", "-"},
    {"ddb-stream-ttl-remove", "--"},
    {"ddb-stream-binary-and-sets", "+"},
    {"ddb-stream-binary-keys", "+"},
    {"ddb-stream-numbers", "+"},
    {"ddb-stream-unicode-raw", "+"},
    {"ddb-stream-unicode-escaped", "+"},
    {"ddb-stream-keys-only", "+"},
    {"ddb-stream-new-image", "+-"},
    {"ddb-stream-old-image", "++"},
    {"ddb-stream-batch-mixed", "+++++++-+-"},
    {"ddb-stream-duplicate-delivery", "+++"},
    {"ddb-stream-timestamps", "+++++"},
    {"ddb-stream-tumbling-window", "++"},
    {"ddb-stream-empty-records", ""},
    {"ddb-stream-unknown-fields", "+"},
    {"ddb-stream-malformed-event-name", "?"},
    {"ddb-stream-malformed-no-dynamodb", "?"},
    // Well formed as a record; that its item is none shows when it is made canonical.
    {"ddb-stream-malformed-number", "+"},
};

char kind_of(const stream_record& r) {
  if (r.what == change::undecodable) return '?';
  if (r.what == change::put) return '+';
  return '-';
}

TEST_CASE("every stream event of the samples comes to what is written down, and no sample is forgotten") {
  std::set<std::string> known;
  for (const outcome& o : outcomes) {
    CAPTURE(o.file);
    known.insert(o.file);
    const stream_records batch = event(o.file);
    std::string kinds;
    for (const stream_record& r : batch.records) {
      kinds += kind_of(r);
      CHECK(r.source_arn == orders_stream);
      CHECK(r.raw.front() == '{');
      CHECK(r.raw.back() == '}');
      CHECK(r.problem.empty() == (r.what != change::undecodable));
    }
    CHECK(kinds == o.records);
    CHECK_FALSE(batch.next_iterator);
  }
  for (const auto& file : std::filesystem::directory_iterator(fakes::own_data("events"))) {
    const std::string name = file.path().stem().string();
    if (name.starts_with("ddb-stream-")) CHECK_MESSAGE(known.contains(name), name);
  }
}

TEST_CASE("whatever else a function may be called with is no stream event") {
  int others = 0;
  for (const auto& file : std::filesystem::directory_iterator(fakes::own_data("events"))) {
    const std::string name = file.path().stem().string();
    if (name.starts_with("ddb-stream-") || file.path().extension() != ".json") continue;
    CAPTURE(name);
    ++others;
    CHECK_THROWS_AS(event(name), format_error);
  }
  CHECK(others >= 15);
}

TEST_CASE("a record's members are those of the event") {
  const stream_records batch = event("ddb-stream-modify");
  const stream_record& r = batch.records.at(0);
  CHECK(r.sequence_number == "100000000000003498070012");
  CHECK(r.view_type == "NEW_AND_OLD_IMAGES");
  CHECK(r.changed_at == std::chrono::milliseconds{1773501378125});
  CHECK(canonical(r.keys) == R"({"pk":{"S":"order#1"},"sk":{"N":"1"}})");
  std::string body, key;
  archive::canonicalizer().item_and_key(r.new_image, order_key, body, key);
  CHECK(key == canonical(r.keys));
}

TEST_CASE("the time of a change is kept to the millisecond; without one that makes sense there is none") {
  const stream_records batch = event("ddb-stream-timestamps");
  std::vector<std::int64_t> times;
  for (const stream_record& r : batch.records) times.push_back(r.changed_at.count());
  CHECK(times == std::vector<std::int64_t>{1773501377000, 1773501377000, 1773501377999, 1773501377123, 0});
  for (const char* time : {R"("soon")", "null", "-5", "1e300", "{}"}) {
    CAPTURE(time);
    const stream_record r = only_record(record_of(whole_details + R"(,"ApproximateCreationDateTime":)" + time));
    CHECK(r.what == change::put);
    CHECK(r.changed_at.count() == 0);
  }
  CHECK(only_record(record_of(whole_details)).changed_at.count() == 0);
}

TEST_CASE("an event spelled with escapes is the same event") {
  const stream_records raw = event("ddb-stream-unicode-raw");
  const stream_records escaped = event("ddb-stream-unicode-escaped");
  CHECK(raw.records[0].new_image != escaped.records[0].new_image);
  CHECK(canonical(raw.records[0].new_image) == canonical(escaped.records[0].new_image));
  CHECK(canonical(raw.records[0].keys) == canonical(escaped.records[0].keys));
  const stream_records batch = read_stream_event(
      R"({"\u0052ecords":[{"event\u004eame":"INS\u0045RT","dynamod\u0062":{"\u004beys":{"id":{"S":"x"}},)"
      R"("New\u0049mage":{"id":{"S":"x"}},"Sequence\u004eumber":"\u0031\u0032","StreamViewType":"NEW_\u0049MAGE"}}]})");
  REQUIRE(batch.records.size() == 1);
  CHECK(batch.records[0].what == change::put);
  CHECK(batch.records[0].sequence_number == "12");
  CHECK(batch.records[0].keys == R"({"id":{"S":"x"}})");
}

TEST_CASE("all ten types and numbers of every size arrive as they were sent") {
  std::string body, key;
  archive::canonicalizer canonical;
  const stream_records types = event("ddb-stream-binary-and-sets");
  canonical.item_and_key(types.records.at(0).new_image, order_key, body, key);
  for (const char* type :
       {"\"S\"", "\"N\"", "\"B\"", "\"BOOL\"", "\"NULL\"", "\"M\"", "\"L\"", "\"SS\"", "\"NS\"", "\"BS\""})
    CHECK_MESSAGE(body.find(type) != std::string::npos, type);
  body.clear();
  const stream_records numbers = event("ddb-stream-numbers");
  canonical.item_and_key(numbers.records.at(0).new_image, order_key, body, key);
  CHECK(body.find("99999999999999999999999999999999999999") != std::string::npos);
}

TEST_CASE("what decides must be there, once, and of its type; the record is still told by its number") {
  struct bad {
    const char* details;
    const char* problem;
  };
  const bad cases[]{
      {R"("Keys":5,"NewImage":{},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")", "Keys is no object"},
      {R"("NewImage":{},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")", "no Keys"},
      {R"("Keys":{},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")", "no NewImage"},
      {R"("Keys":{},"NewImage":null,"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")", "NewImage is no object"},
      {R"("Keys":{},"NewImage":{},"SequenceNumber":"12")", "no StreamViewType"},
      {R"("Keys":{},"NewImage":{},"SequenceNumber":"12","StreamViewType":"ALL")", "StreamViewType is unknown"},
      {R"("Keys":{},"Keys":{},"NewImage":{},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")",
       "Keys is there twice"},
  };
  for (const bad& b : cases) {
    CAPTURE(b.details);
    const stream_record r = only_record(record_of(b.details));
    CHECK(r.what == change::undecodable);
    CHECK(r.problem.find(b.problem) != std::string::npos);
    CHECK(r.sequence_number == "12");
  }
  for (const char* number : {R"("")", R"("12a")", R"("-1")", R"("12345678901234567890123456789012345678901")", "12"}) {
    CAPTURE(number);
    const stream_record r = only_record(
        record_of(R"("Keys":{},"NewImage":{},"StreamViewType":"NEW_IMAGE","SequenceNumber":)" + std::string(number)));
    CHECK(r.what == change::undecodable);
    CHECK(r.sequence_number.empty());
  }
  CHECK(only_record(record_of(whole_details, R"("eventName":"insert")")).what == change::undecodable);
  CHECK(only_record(record_of(whole_details, R"("eventName":null)")).what == change::undecodable);
  CHECK(only_record(record_of(whole_details, R"("eventID":"x")")).problem == "it has no eventName");
  CHECK(only_record(R"({"eventName":"INSERT","dynamodb":[]})").what == change::undecodable);
  CHECK(only_record("5").what == change::undecodable);
  CHECK(only_record("{]").what == change::undecodable);
  CHECK(only_record("{}").problem == "it has no member dynamodb");
}

TEST_CASE("a bad record leaves its neighbours alone, and no content is in its problem") {
  const stream_records batch =
      read_stream_event(R"({"Records":[{"eventName":"INSERT","dynamodb":{"SequenceNumber":"1","Keys":"secret"}},)" +
                        record_of(whole_details) + "]}");
  REQUIRE(batch.records.size() == 2);
  CHECK(batch.records[0].what == change::undecodable);
  CHECK(batch.records[0].problem.find("secret") == std::string::npos);
  CHECK(batch.records[1].what == change::put);
}

TEST_CASE("a deletion by TTL is one, whoever is named for it, and by DynamoDB Local's name") {
  const std::string details = R"("Keys":{"id":{"S":"x"}},"SequenceNumber":"12","StreamViewType":"NEW_IMAGE")";
  for (const char* identity : {R"({"principalId":"dynamodb.amazonaws.com","type":"Service"})", "null", "[]"})
    CHECK(only_record(record_of(details, R"("eventName":"REMOVE","userIdentity":)" + std::string(identity))).what ==
          change::remove);
  CHECK(only_record(record_of(details, R"("eventName":"UNKNOWN_TO_SDK_VERSION")")).what == change::remove);
  // Some other event of the future, with an image, is none that we may take for a deletion.
  CHECK(only_record(record_of(whole_details, R"("eventName":"UNKNOWN_TO_SDK_VERSION")")).what == change::undecodable);
}

TEST_CASE("an answer to GetRecords tells how to go on, and that a shard has ended") {
  const std::string record = record_of(whole_details);
  stream_records batch = read_get_records(R"({"NextShardIterator":"AAAA\/x==","Records":[)" + record + "]}");
  CHECK(batch.next_iterator == "AAAA/x==");
  CHECK(batch.records.at(0).what == change::put);
  CHECK(batch.records[0].source_arn.empty());
  CHECK_FALSE(read_get_records(R"({"Records":[]})").next_iterator);
  CHECK_FALSE(read_get_records(R"({"Records":[],"NextShardIterator":null})").next_iterator);
  CHECK_THROWS_AS(read_get_records(R"({"Records":[],"NextShardIterator":5})"), format_error);
  CHECK_THROWS_AS(read_get_records(R"({"Records":[],"NextShardIterator":""})"), format_error);
  CHECK_THROWS_AS(read_get_records(R"({"NextShardIterator":"x"})"), format_error);
}

TEST_CASE("what is no such document is refused whole") {
  for (const char* text :
       {"", "null", "5", "[]", "{", R"({"Records":[})", R"({"Records":{}})", R"({"Records":null})",
        R"({"Records":[],"Records":[]})", R"({"Records":[]} x)", R"({"Records":[{"eventName":"INSERT")",
        R"({"Records":[{"eventSource":"aws:sqs","body":"{}"}]})"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(read_stream_event(text), format_error);
  }
}

TEST_CASE("more records than Lambda ever delivers are refused") {
  const auto many = [](std::size_t n) {
    std::string text = R"({"Records":[{})";
    for (std::size_t i = 1; i < n; ++i) text += ",{}";
    return text + "]}";
  };
  CHECK(read_stream_event(many(max_stream_records)).records.size() == max_stream_records);
  CHECK_THROWS_AS(read_stream_event(many(max_stream_records + 1)), format_error);
}

TEST_CASE("an event cut at any byte is refused, and slices survive a move") {
  const std::string text = event_text("ddb-stream-batch-mixed");
  const std::size_t end = text.find_last_of('}');
  for (std::size_t n = 0; n <= end; n += 7) CHECK_THROWS_AS(read_stream_event(text.substr(0, n)), format_error);
  stream_records batch = read_stream_event(text);
  const stream_records moved = std::move(batch);
  CHECK(canonical(moved.records.at(9).keys) == R"({"pk":{"S":"p2"},"sk":{"N":"1"}})");
}

TEST_CASE("slices survive a move also in a document short enough to live inside its string") {
  stream_records batch = read_stream_event(R"({"Records":[-]})");
  const stream_records moved = std::move(batch);
  const std::string_view document = moved.document;
  CHECK(moved.records.at(0).raw.data() == document.data() + document.find('-'));
}

TEST_CASE("sequence numbers are compared as numbers of any length") {
  CHECK(sequence_less("9", "10"));
  CHECK_FALSE(sequence_less("10", "9"));
  CHECK_FALSE(sequence_less("10", "10"));
  CHECK(sequence_less("99999999999999999999999", "100000000000000000000000"));
  CHECK_FALSE(sequence_less("0010", "10"));
  CHECK_FALSE(sequence_less("10", "0010"));
  CHECK(sequence_less("0", "1"));
  CHECK_FALSE(sequence_less("0", "000"));
}

TEST_CASE("a stream's ARN names table and label") {
  const auto name = parse_stream_arn(orders_stream);
  REQUIRE(name);
  CHECK(name->table == "Orders");
  CHECK(name->label == "2026-03-01T00:00:00.000");
  for (const char* no :
       {"", "arn:aws:dynamodb:us-east-1:1:table/Orders", "arn:aws:dynamodb:us-east-1:1:table//stream/x",
        "arn:aws:dynamodb:us-east-1:1:table/Orders/stream/", "x:table/Orders/stream/y",
        "arn:aws:dynamodb:us-east-1:1:table/Orders/stream/a/b", "arn:aws:kinesis:r:1:stream/x",
        "arn:aws:dynamodb:us-east-1:1:table/Orders/stream/a\nb"}) {
    CAPTURE(no);
    CHECK_FALSE(parse_stream_arn(no));
  }
}

}  // namespace
}  // namespace dynabackup::dynamodb
