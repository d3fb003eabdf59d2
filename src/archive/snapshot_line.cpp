#include "archive/snapshot_line.hpp"

#include <fmt/format.h>

#include "archive/json_cursor.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

/// Whether the object that `in` has before it can be an item: its values are objects, those of {"S":"x"} are not.
bool holds_objects(json_cursor in, std::string& name) {
  in.expect('{', {});
  if (in.peek() == '}') return true;
  name.clear();
  in.string(name, "a name in quotes was expected");
  return in.accept(':') && in.peek() == '{';
}

}  // namespace

line_reader::line_reader(dynamodb::key_schema schema) : schema_(std::move(schema)) {
  if (schema_.empty()) throw format_error("a key schema without attributes");
  text::append_json_string(partition_key_, schema_.front().name);
}

line_kind line_reader::read(std::string_view line, std::string& item, std::string& key) {
  const shape found = look(line);
  if (found.kind == line_kind::plain_json) {
    canonical_.plain_item_and_key(found.item, schema_, item, key);
  } else {
    canonical_.item_and_key(found.item, schema_, item, key);
  }
  return found.kind;
}

/// Only tells the kinds apart; that the line is what it seems is checked when it is written.
line_reader::shape line_reader::look(std::string_view line) {
  json_cursor in(line);
  in.expect('{', "a line that is no JSON object");
  bool only_member = true;
  do {
    name_.clear();
    in.string(name_, "a name in quotes was expected");
    in.expect(':', "a ':' was expected");
    const char value = in.peek();
    const bool is_key = name_ == partition_key_;
    if (is_key && value != '{') return {line_kind::plain_json, line};

    const std::size_t start = in.offset();
    const bool may_wrap = only_member && value == '{' && name_ == R"("Item")" && holds_objects(in, name_);
    in.skip_value();
    if (may_wrap && in.peek() == '}') {
      const auto item = line.substr(start, in.offset() - start);
      in.accept('}');
      in.finish();
      return {line_kind::wrapped, item};
    }
    if (is_key) return {line_kind::bare, line};
    only_member = false;
  } while (in.accept(','));
  throw format_error(fmt::format("the key attribute {} is missing", partition_key_));
}

}  // namespace dynabackup::archive
