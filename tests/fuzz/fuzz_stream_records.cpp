// Stream events and GetRecords answers: slices lie in their record, records in the document; what is told to be a
// change has what a change needs.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "dynabackup/error.hpp"
#include "dynamodb/stream_records.hpp"

namespace {

using namespace dynabackup;

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() || (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void expect(bool holds) {
  if (!holds) std::abort();
}

void check(const dynamodb::stream_record& r, std::string_view document) {
  using change = dynamodb::stream_record::change;
  expect(inside(r.raw, document) && inside(r.keys, r.raw) && inside(r.new_image, r.raw));
  expect(r.sequence_number.size() <= dynamodb::max_sequence_digits);
  expect(std::all_of(r.sequence_number.begin(), r.sequence_number.end(), [](char c) { return c >= '0' && c <= '9'; }));
  expect((r.what == change::undecodable) == !r.problem.empty());
  expect(r.changed_at.count() >= 0);
  if (r.what == change::undecodable) return;
  expect(!r.sequence_number.empty() && r.keys.starts_with('{') && !r.view_type.empty());
  const bool has_images = r.view_type.starts_with("NEW_");
  expect(r.new_image.empty() == !(r.what == change::put && has_images));
}

void walk(dynamodb::stream_records (*read)(std::string), const std::string& text) {
  try {
    dynamodb::stream_records batch = read(text);
    const dynamodb::stream_records moved = std::move(batch);
    expect(moved.records.size() <= dynamodb::max_stream_records);
    for (const dynamodb::stream_record& r : moved.records) {
      check(r, moved.document);
      const auto name = dynamodb::parse_stream_arn(r.source_arn);
      expect(!name || (!name->table.empty() && !name->label.empty()));
    }
  } catch (const format_error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  walk(dynamodb::read_stream_event, text);
  walk(dynamodb::read_get_records, text);
  return 0;
}
