#include "fakes/aws/dynamodb_item.hpp"

#include <algorithm>
#include <charconv>

#include "archive/canonical_number.hpp"
#include "dynabackup/error.hpp"
#include "dynamodb/json_cursor.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes {
namespace {

/// Walks canonical JSON and counts.
class size_counter {
 public:
  explicit size_counter(std::string_view text) : text_(text) {}

  /// Members of the object at the current place: their names and values.
  std::size_t members(std::size_t each) {
    std::size_t size = 0;
    ++at_;  // {
    while (text_[at_] != '}') {
      if (text_[at_] == ',') ++at_;
      size += string() + each;
      ++at_;  // :
      size += value();
    }
    ++at_;
    return size;
  }

 private:
  /// Bytes of the string that follows, escapes undone.
  std::size_t string() {
    std::size_t size = 0;
    for (++at_; text_[at_] != '"'; ++size) at_ += text_[at_] != '\\' ? 1 : text_[at_ + 1] == 'u' ? 6 : 2;
    ++at_;
    return size;
  }

  std::size_t number() {
    const std::size_t begin = at_ + 1;
    string();
    const auto reading = archive::read_decimal(text_.substr(begin, at_ - 1 - begin));
    return (static_cast<std::size_t>(reading.number.count) + 1) / 2 + 1 + (reading.number.negative ? 1 : 0);
  }

  std::size_t binary() {
    const std::size_t begin = at_ + 1;
    const std::size_t length = string();
    const std::string_view spelled = text_.substr(begin, length);
    return length / 4 * 3 - static_cast<std::size_t>(std::count(spelled.begin(), spelled.end(), '='));
  }

  template <typename Element>
  std::size_t array(std::size_t each, Element element) {
    std::size_t size = 0;
    ++at_;  // [
    while (text_[at_] != ']') {
      if (text_[at_] == ',') ++at_;
      size += element() + each;
    }
    ++at_;
    return size;
  }

  std::size_t scalar(char type) { return type == 'S' ? string() : type == 'N' ? number() : binary(); }

  std::size_t typed(std::string_view type) {
    if (type.size() == 1 && type != "M" && type != "L") return scalar(type[0]);
    if (type == "M") return 3 + members(1);
    if (type == "L") return 3 + array(1, [this] { return value(); });
    if (type.size() == 2) return array(0, [this, type] { return scalar(type[0]); });
    at_ = text_.find('}', at_);  // BOOL, NULL
    return 1;
  }

  /// {"S":…}
  std::size_t value() {
    const std::size_t begin = at_ + 2;
    const std::size_t end = text_.find('"', begin);
    at_ = end + 2;
    const std::size_t size = typed(text_.substr(begin, end - begin));
    ++at_;  // }
    return size;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return mixed(hash);
}

/// A number spelled so that bytes compare as the numbers do: sign, exponent, digits; negative ones inverted.
std::string sortable_number(std::string_view text) {
  const archive::decimal number = archive::read_decimal(text).number;
  if (number.count == 0) return "\x80";
  std::string result(1, static_cast<char>(number.exponent - archive::decimal::least_exponent));
  result.append(number.digits.data(), static_cast<std::size_t>(number.count));
  if (!number.negative) return '\x81' + result;
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return static_cast<char>(~c); });
  return '\x7F' + result + '\xFF';
}

double rounded_up(std::size_t bytes, std::size_t unit) {
  return static_cast<double>(std::max<std::size_t>(1, (bytes + unit - 1) / unit));
}

}  // namespace

std::size_t item_size(std::string_view canonical_item) { return size_counter(canonical_item).members(0); }

double read_units(std::size_t bytes, bool consistent) { return rounded_up(bytes, 4096) * (consistent ? 1 : 0.5); }

double write_units(std::size_t bytes) { return rounded_up(bytes, 1024); }

std::string unescaped(std::string_view spelled) {
  constexpr std::string_view letters = "btnfr\"\\";
  constexpr std::string_view meanings = "\b\t\n\f\r\"\\";
  std::string result;
  for (std::size_t i = 0; i < spelled.size(); ++i) {
    if (spelled[i] != '\\') {
      result += spelled[i];
    } else if (spelled[++i] == 'u') {
      unsigned code = 0;
      std::from_chars(spelled.data() + i + 1, spelled.data() + i + 5, code, 16);
      result += static_cast<char>(code);
      i += 4;
    } else {
      result += meanings[letters.find(spelled[i])];
    }
  }
  return result;
}

std::string json_string(std::string_view text) {
  std::string result;
  text::append_json_string(result, text);
  return result;
}

key_reader::key_reader(const dynamodb::key_schema& schema) : schema_(schema) {
  for (auto& attribute : schema_) {
    const std::string spelled = json_string(attribute.name);
    attribute.name = spelled.substr(1, spelled.size() - 2);
  }
}

std::string_view key_reader::value(std::string_view canonical_key, std::size_t i) const {
  dynamodb::json_cursor at(canonical_key, "key");
  at.enter('{');
  while (const auto name = at.next_member()) {
    const std::string_view value = at.object();  // {"S":"…"}
    if (*name == schema_[i].name) return value.substr(6, value.size() - 8);
  }
  throw format_error("a key without one of its attributes");
}

item_place key_reader::place(std::string_view canonical_key) const {
  item_place result{hash_of(value(canonical_key, 0)), {}};
  if (schema_.size() < 2) return result;
  const std::string_view sort = value(canonical_key, 1);
  if (schema_[1].type == 'N') {
    result.sort = sortable_number(sort);
  } else {
    result.sort = schema_[1].type == 'B' ? text::unbase64(sort).value_or("") : unescaped(sort);
  }
  return result;
}

std::size_t key_reader::value_bytes(std::string_view canonical_key, std::size_t i) const {
  const std::string_view spelled = value(canonical_key, i);
  return schema_[i].type == 'B' ? text::unbase64(spelled).value_or("").size() : unescaped(spelled).size();
}

}  // namespace dynabackup::fakes
