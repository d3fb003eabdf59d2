#include "archive/json_record.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"
#include "text/codecs.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::archive {

namespace dom = simdjson::dom;

void record_writer::begin(std::string_view member) {
  out_ += out_.size() == 1 ? "\n  " : ",\n  ";
  text::append_json_string(out_, member);
  out_ += ": ";
}

record_writer& record_writer::text(std::string_view member, std::string_view value) {
  begin(member);
  text::append_json_string(out_, value);
  return *this;
}

record_writer& record_writer::number(std::string_view member, std::uint64_t value) {
  begin(member);
  fmt::format_to(std::back_inserter(out_), "{}", value);
  return *this;
}

record_writer& record_writer::flag(std::string_view member, bool value) {
  begin(member);
  out_ += value ? "true" : "false";
  return *this;
}

record_writer& record_writer::json(std::string_view member, std::string_view value) {
  begin(member);
  while (value.ends_with('\n')) value.remove_suffix(1);
  for (const char c : value) {
    out_ += c;
    if (c == '\n') out_ += "  ";  // inside strings a newline is escaped, so this one is white space
  }
  return *this;
}

std::string record_writer::finish() {
  out_ += "\n}\n";
  return std::move(out_);
}

struct record_reader::state {
  std::shared_ptr<dom::parser> parser;  // owns what `object` points into
  dom::object object;
  std::string what;

  [[nodiscard]] dom::element member(std::string_view name) const {
    dom::element found;
    if (object.at_key(name).get(found)) throw format_error(fmt::format("{}: member {} is missing", what, name));
    return found;
  }

  template <class T>
  [[nodiscard]] T value(std::string_view name, std::string_view type) const {
    T result{};
    if (member(name).get(result)) throw format_error(fmt::format("{}: member {} is not {}", what, name, type));
    return result;
  }

  [[nodiscard]] std::unique_ptr<state> inner(dom::object o, std::string_view name) const {
    return std::make_unique<state>(state{parser, o, fmt::format("{}, {}", what, name)});
  }
};

record_reader::record_reader(std::unique_ptr<state> s) : state_(std::move(s)) {}
record_reader::record_reader(record_reader&&) noexcept = default;
record_reader::~record_reader() = default;

record_reader::record_reader(std::string_view body, std::string_view what, std::size_t max_bytes)
    : state_(std::make_unique<state>()) {
  state_->what = what;
  if (body.size() > max_bytes) refuse(fmt::format("{} bytes are more than the {} it may have", body.size(), max_bytes));
  state_->parser = std::make_shared<dom::parser>();
  dom::element root;
  if (const auto error = state_->parser->parse(body.data(), body.size()).get(root)) {
    refuse(fmt::format("not a JSON document ({})", simdjson::error_message(error)));
  }
  if (root.get(state_->object)) refuse("not a JSON object");
}

void record_reader::expect_format() const {
  const auto format = number("format");
  if (format > 1) {
    refuse(
        fmt::format("format {} was written by a newer version of dynabackup, this one reads format 1: update", format));
  }
  if (format != 1) refuse("format 0 does not exist");
}

std::string record_reader::text(std::string_view member) const {
  return std::string(state_->value<std::string_view>(member, "a string"));
}

std::optional<std::string> record_reader::text_if_any(std::string_view member) const {
  dom::element found;
  if (state_->object.at_key(member).get(found)) return std::nullopt;
  return text(member);
}

std::string record_reader::moment(std::string_view member, bool may_be_empty) const {
  auto value = text(member);
  if (value.empty() ? !may_be_empty : !text::parse_rfc3339(value)) {
    refuse(fmt::format("member {} is not an RFC 3339 time", member));
  }
  return value;
}

std::uint64_t record_reader::number(std::string_view member) const {
  return state_->value<std::uint64_t>(member, "a whole number from 0 to 2^64-1");
}

bool record_reader::flag(std::string_view member) const { return state_->value<bool>(member, "true or false"); }

std::optional<record_reader> record_reader::record(std::string_view member) const {
  if (state_->member(member).is_null()) return std::nullopt;
  return record_reader(state_->inner(state_->value<dom::object>(member, "an object"), member));
}

std::vector<record_reader> record_reader::records(std::string_view member, std::size_t max_count) const {
  std::vector<record_reader> result;
  for (const dom::element element : state_->value<dom::array>(member, "an array")) {
    if (result.size() == max_count) refuse(fmt::format("member {} has more than {} elements", member, max_count));
    dom::object object;
    if (element.get(object)) refuse(fmt::format("member {} has an element that is not an object", member));
    result.push_back(record_reader(state_->inner(object, member)));
  }
  return result;
}

std::vector<std::uint64_t> record_reader::rows(std::string_view member, std::size_t width) const {
  std::vector<std::uint64_t> result;
  const auto bad_row = [&] {
    refuse(fmt::format("member {}, row {}: not {} whole numbers", member, result.size() / width, width));
  };
  for (const dom::element element : state_->value<dom::array>(member, "an array")) {
    dom::array row;
    if (element.get(row) || row.size() != width) bad_row();
    for (const dom::element cell : row) {
      std::uint64_t number = 0;
      if (cell.get(number)) bad_row();
      result.push_back(number);
    }
  }
  return result;
}

void record_reader::refuse(std::string_view why) const { throw format_error(fmt::format("{}: {}", state_->what, why)); }

}  // namespace dynabackup::archive
