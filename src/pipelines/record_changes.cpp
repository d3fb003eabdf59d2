#include "pipelines/record_changes.hpp"

#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::pipelines {
namespace {

/// More prefixes than any function records into.
constexpr std::size_t most_known = 100;

std::string stream_of(const record_options& what, const dynamodb::stream_records& batch) {
  if (!what.stream_arn.empty()) return what.stream_arn;
  for (const dynamodb::stream_record& r : batch.records)
    if (!r.source_arn.empty()) return r.source_arn;
  throw usage_error("no record of the event names its stream (eventSourceARN), and none is set");
}

void fill_in(std::string& prefix, const std::string& table) {
  constexpr std::string_view placeholder = "{table}";
  for (std::size_t at = 0; (at = prefix.find(placeholder, at)) != std::string::npos; at += table.size())
    prefix.replace(at, placeholder.size(), table);
}

std::shared_ptr<recorder_knowledge> knowledge_of(known_streams& known, const record_options& what) {
  if (known.size() > most_known) known.clear();
  std::shared_ptr<recorder_knowledge>& place = known[what.to.text() + ' ' + what.stream_arn];
  if (!place) place = std::make_shared<recorder_knowledge>();
  return place;
}

}  // namespace

task<report> record_changes(run_context& run, record_order order) {
  const dynamodb::stream_records batch = dynamodb::read_stream_event(std::move(order.event_json));
  record_options what = std::move(order.what);
  report out;
  out.operation = "record";
  out.changes.emplace();
  if (!batch.records.empty()) {
    require_new_images(batch);
    what.stream_arn = stream_of(what, batch);
    const auto stream = dynamodb::parse_stream_arn(what.stream_arn);
    if (!stream) throw usage_error("\"" + what.stream_arn + "\" is not the ARN of a DynamoDB stream");
    fill_in(what.to.prefix, stream->table);
    out.source = stream->table;
    recorder recording(run, what, knowledge_of(order.known, what));
    if (!recording.prepared()) {
      dynamodb::table_description table = co_await require_table(run, stream->table);
      co_await recording.prepare(std::move(table));
    }
    out.changes = co_await recording.record(batch);
  }
  out.destination = what.to.text();
  out.items_read = out.changes->records;
  out.items_written = out.changes->puts;
  take_counters(run.seen, out);
  co_return out;
}

}  // namespace dynabackup::pipelines
