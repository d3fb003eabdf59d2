#include "archive/item_writer.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "archive/canonical_json.hpp"
#include "archive/canonical_number.hpp"
#include "dynabackup/error.hpp"

namespace dynabackup::archive {
namespace {

constexpr std::string_view base64_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<signed char, 256> base64_values = [] {
  std::array<signed char, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < base64_alphabet.size(); ++i) {
    values[static_cast<unsigned char>(base64_alphabet[i])] = static_cast<signed char>(i);
  }
  return values;
}();

signed char base64_value(char c) { return base64_values[static_cast<unsigned char>(c)]; }

/// Makes [begin, end) the one spelling of its bytes: bits that no byte uses become zero. False: it is not base64.
bool normalize_base64(char* begin, char* end) {
  if ((end - begin) % 4 != 0) return false;
  int padding = 0;
  while (end != begin && padding < 2 && end[-1] == '=') {
    --end;
    ++padding;
  }
  if (!std::all_of(begin, end, [](char c) { return base64_value(c) >= 0; })) return false;
  if (padding > 0) {
    const int used = padding == 1 ? 0b111100 : 0b110000;
    end[-1] = base64_alphabet[static_cast<std::size_t>(base64_value(end[-1]) & used)];
  }
  return true;
}

constexpr std::string_view one_type = "an attribute value must have exactly one type";

}  // namespace

item_writer::item_writer(std::string_view item, piece_stack& pieces, std::string& out)
    : in_(item), pieces_(pieces), out_(out), base_(out.size()) {
  if (item.size() > max_item_text) throw format_error("longer than any item can be");
  pieces_.clear();
  out_.reserve(base_ + item.size());
}

void item_writer::dynamodb_json() { top_level(nullptr); }
void item_writer::plain_json(const std::vector<spelled_key>& keys) { top_level(&keys); }

void item_writer::top_level(const std::vector<spelled_key>* plain_keys) {
  top_ = pieces_.open();
  map(top_, [&](std::string_view name) {
    if (plain_keys == nullptr) return value(1);
    const auto names_it = [&](const spelled_key& k) { return k.type == 'B' && k.name == name; };
    if (in_.peek() != '"' || std::none_of(plain_keys->begin(), plain_keys->end(), names_it)) return plain_value(1);
    out_ += R"({"B":)";
    binary();
    out_ += '}';
  });
  in_.finish();
}

/// An object in the text, written with its members in order; `value` writes the value of the member it is given.
template <typename Value>
void item_writer::map(piece_stack::level& members, Value value) {
  in_.expect('{', "an object was expected");
  out_ += '{';
  if (!in_.accept('}')) {
    bool first = true;
    do {
      if (!first) out_ += ',';
      first = false;
      piece p{here(), 0, 0};
      const bool escaped = in_.string(out_, "a name in quotes was expected");
      p.name_end = here();
      in_.expect(':', "a ':' was expected");
      out_ += ':';
      value(written(base_ + p.begin).substr(0, p.name_end - p.begin));
      p.end = here();
      if (p.end > max_item_text) in_.fail("an item longer than any item can be");
      if (!pieces_.add(members, p, escaped, written(base_))) in_.fail("an attribute name for the second time");
    } while (in_.accept(','));
    in_.expect('}', "a ',' or '}' was expected");
    if (!pieces_.arrange(members, out_, base_)) in_.fail("an attribute name twice in the object that ends");
  }
  out_ += '}';
}

template <typename Element>
void item_writer::list(Element element) {
  in_.expect('[', "a JSON array was expected");
  out_ += '[';
  if (!in_.accept(']')) {
    bool first = true;
    do {
      if (!first) out_ += ',';
      first = false;
      element();
      if (here() > max_item_text) in_.fail("an item longer than any item can be");
    } while (in_.accept(','));
    in_.expect(']', "a ',' or ']' was expected");
  }
  out_ += ']';
}

void item_writer::nest(int depth) const {
  if (depth > max_nesting) in_.fail("maps and lists nested deeper than 32 levels");
}

void item_writer::value(int depth) {
  in_.expect('{', "an attribute value must be an object");
  const auto type = string_value(one_type);
  in_.expect(':', "a ':' was expected");
  ((out_ += "{\"") += type) += "\":";
  typed_value(type, depth);
  in_.expect('}', one_type);
  out_ += '}';
}

/// A string that is to be looked at before it is written, in canonical spelling; valid until the next call if it has
/// escapes, else as long as the input.
std::string_view item_writer::string_value(std::string_view otherwise) {
  if (const auto plain = in_.plain_string()) return *plain;
  spare_.clear();
  in_.string(spare_, otherwise);
  return std::string_view(spare_).substr(1, spare_.size() - 2);
}

void item_writer::typed_value(std::string_view type, int depth) {
  const auto string = [this] { return in_.string(out_, "the value of S or SS must be a JSON string"); };
  if (type == "S") {
    string();
  } else if (type == "N") {
    number();
  } else if (type == "B") {
    binary();
  } else if (type == "BOOL") {
    boolean();
  } else if (type == "NULL") {
    null();
  } else if (type == "M") {
    nest(depth);
    auto members = pieces_.open();
    map(members, [&](std::string_view) { value(depth + 1); });
    pieces_.close(members);
  } else if (type == "L") {
    nest(depth);
    list([&] { value(depth + 1); });
  } else if (type == "SS") {
    set(string);
  } else if (type == "NS") {
    set([this] { return number(), false; });
  } else if (type == "BS") {
    set([this] { return binary(), false; });
  } else {
    in_.fail("an unknown type of attribute value");
  }
}

void item_writer::null() {
  if (!in_.accept_word("true")) in_.fail("the value of NULL must be true");
  out_ += "true";
}

void item_writer::boolean() {
  if (in_.accept_word("true")) {
    out_ += "true";
  } else if (in_.accept_word("false")) {
    out_ += "false";
  } else {
    in_.fail("the value of BOOL must be true or false");
  }
}

void item_writer::number() { write_number(string_value("the value of N or NS must be a JSON string")); }

void item_writer::write_number(std::string_view text) {
  const auto reading = read_decimal(text);
  if (!reading.problem.empty()) in_.fail(reading.problem);
  out_ += '"';
  append_decimal(out_, reading.number);
  out_ += '"';
}

void item_writer::binary() {
  const std::size_t start = out_.size() + 1;
  in_.string(out_, "the value of B or BS must be a JSON string");
  char* text = out_.data();
  if (!normalize_base64(text + start, text + out_.size() - 1)) in_.fail("a binary value that is not base64");
}

/// An array of strings; `element` writes one and tells whether it has escapes.
template <typename Element>
void item_writer::set(Element element) {
  auto elements = pieces_.open();
  list([&] {
    const auto begin = here();
    const bool escaped = element();
    if (!pieces_.add(elements, {begin, here(), here()}, escaped, written(base_))) in_.fail("a set's element twice");
  });
  if (pieces_.pieces(elements).empty()) in_.fail("an empty set");
  out_.pop_back();
  if (!pieces_.arrange(elements, out_, base_)) in_.fail("an element twice in the set that ends");
  out_ += ']';
  pieces_.close(elements);
}

void item_writer::plain_value(int depth) {
  const char c = in_.peek();
  if (c == '"') {
    out_ += R"({"S":)";
    in_.string(out_, {});
  } else if (c == '{') {
    nest(depth);
    out_ += R"({"M":)";
    auto members = pieces_.open();
    map(members, [&](std::string_view) { plain_value(depth + 1); });
    pieces_.close(members);
  } else if (c == '[') {
    nest(depth);
    out_ += R"({"L":)";
    list([&] { plain_value(depth + 1); });
  } else if (in_.accept_word("null")) {
    out_ += R"({"NULL":true)";
  } else if (c == 't' || c == 'f') {
    out_ += R"({"BOOL":)";
    boolean();
  } else {
    if (c != '-' && (c < '0' || c > '9')) in_.fail("a JSON value was expected");
    out_ += R"({"N":)";
    write_number(in_.number());
  }
  out_ += '}';
}

void item_writer::append_key(const std::vector<spelled_key>& keys, std::string& key) const {
  const std::string_view item = written(base_);
  const auto members = pieces_.pieces(top_);
  const auto name = [&](const piece& p) { return item.substr(p.begin, p.name_end - p.begin); };
  for (const auto& k : keys) {
    const auto is_it = [&](const piece& p) { return name(p) == k.name; };
    const auto found = std::find_if(members.begin(), members.end(), is_it);
    if (found == members.end()) throw format_error(fmt::format("the key attribute {} is missing", k.name));
    const std::string_view value = item.substr(found->name_end);  // :{"S":…
    if (value[3] != k.type || value[4] != '"') {
      throw format_error(fmt::format("the key attribute {} is not of type {}", k.name, k.type));
    }
  }
  char before = '{';
  for (const piece& p : members) {
    const auto is_it = [&](const spelled_key& k) { return k.name == name(p); };
    if (std::none_of(keys.begin(), keys.end(), is_it)) continue;
    (key += before) += item.substr(p.begin, p.end - p.begin);
    before = ',';
  }
  key += '}';
}

}  // namespace dynabackup::archive
