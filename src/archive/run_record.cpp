#include "archive/run_record.hpp"

#include "archive/json_record.hpp"

namespace dynabackup::archive {

namespace {

constexpr std::size_t max_run_record_bytes = std::size_t{64} << 10;

}  // namespace

std::string write_run_record(const run_record& r) {
  return record_writer()
      .number("format", static_cast<std::uint64_t>(r.format))
      .text("id", r.id)
      .text("table_arn", r.table_arn)
      .text("started", r.started)
      .text("ended", r.ended)
      .flag("finished", r.finished)
      .flag("swept", r.swept)
      .text("stream_label", r.stream_label)
      .flag("changes_recorded", r.changes_recorded)
      .flag("conditional_writes", r.conditional_writes)
      .number("items", r.items)
      .number("written", r.written)
      .number("present", r.present)
      .number("differing", r.differing)
      .finish();
}

run_record read_run_record(std::string_view body) {
  const record_reader record(body, "run record", max_run_record_bytes);
  record.expect_format();
  run_record r;
  r.id = record.text("id");
  if (r.id.empty()) record.refuse("member id is empty");
  r.table_arn = record.text("table_arn");
  r.started = record.moment("started", false);
  r.ended = record.moment("ended", true);
  r.finished = record.flag("finished");
  r.swept = record.flag("swept");
  r.stream_label = record.text("stream_label");
  r.changes_recorded = record.flag("changes_recorded");
  r.conditional_writes = record.flag("conditional_writes");
  r.items = record.number("items");
  r.written = record.number("written");
  r.present = record.number("present");
  r.differing = record.number("differing");
  return r;
}

}  // namespace dynabackup::archive
