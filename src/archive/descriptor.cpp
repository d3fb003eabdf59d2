#include "archive/descriptor.hpp"

#include <fmt/format.h>

#include "archive/json_record.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {

namespace {

constexpr std::size_t max_descriptor_bytes = std::size_t{64} << 10;

std::string write_key(const dynamodb::key_schema& key) {
  std::string out = "[";
  for (const auto& attribute : key) {
    if (out.size() > 1) out += ", ";
    out += R"({"name": )";
    text::append_json_string(out, attribute.name);
    out += R"(, "type": )";
    text::append_json_string(out, {&attribute.type, 1});
    out += '}';
  }
  return out + "]";
}

dynamodb::key_schema read_key(const record_reader& record) {
  dynamodb::key_schema key;
  for (const auto& attribute : record.records("key", 2)) {
    const auto name = attribute.text("name");
    const auto type = attribute.text("type");
    if (name.empty()) attribute.refuse("an attribute without a name");
    if (type != "S" && type != "N" && type != "B") attribute.refuse("a key's type is S, N or B");
    key.push_back({name, type.front()});
  }
  if (key.empty()) record.refuse("member key names no attribute");
  if (key.size() == 2 && key[0].name == key[1].name) record.refuse("member key names one attribute twice");
  return key;
}

}  // namespace

descriptor describe(const dynamodb::table_description& table) {
  descriptor d;
  d.table = table.name;
  d.arn = table.arn;
  d.id = table.id;
  d.created = table.created;
  d.key = table.key;
  return d;
}

std::string write_descriptor(const descriptor& d) {
  return record_writer()
      .number("format", static_cast<std::uint64_t>(d.format))
      .text("table", d.table)
      .text("arn", d.arn)
      .text("id", d.id)
      .text("created", d.created)
      .json("key", write_key(d.key))
      .finish();
}

descriptor read_descriptor(std::string_view body) {
  return read_descriptor(record_reader(body, "descriptor", max_descriptor_bytes));
}

descriptor read_descriptor(const record_reader& record) {
  record.expect_format();
  descriptor d;
  d.table = record.text("table");
  if (d.table.empty()) record.refuse("member table is empty");
  d.arn = record.text("arn");
  d.id = record.text("id");
  d.created = record.text("created");
  d.key = read_key(record);
  return d;
}

kinship compare(const descriptor& known, const descriptor& now) {
  if (known.table != now.table || known.key != now.key) return kinship::other;
  const bool another_id = !known.id.empty() && !now.id.empty() && known.id != now.id;
  if (another_id || known.created != now.created || known.arn != now.arn) return kinship::recreated;
  return kinship::same;
}

}  // namespace dynabackup::archive
