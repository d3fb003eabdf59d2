#include "archive/item_key.hpp"

#include <fmt/format.h>

#include "archive/canonical_json.hpp"
#include "dynabackup/attribute.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

bool is_json(std::string_view word) {
  const auto start = word.find_first_not_of(" \t\r\n");
  return start != std::string_view::npos && word[start] == '{';
}

/// The attribute whose name and '=' the word begins with; where one name is the start of another, the longer one.
const dynamodb::key_attribute* named_by(std::string_view word, const dynamodb::key_schema& schema) {
  const dynamodb::key_attribute* found = nullptr;
  for (const dynamodb::key_attribute& a : schema)
    if (word.starts_with(a.name) && word.substr(a.name.size()).starts_with('=') &&
        (found == nullptr || a.name.size() > found->name.size()))
      found = &a;
  return found;
}

/// {"name":{"N":"5"}}, whose value is not checked yet.
std::string json_of(const dynamodb::key_attribute& named, std::string_view value) {
  std::string out = "{";
  text::append_json_string(out, named.name);
  out += fmt::format(":{{\"{}\":", named.type);
  text::append_json_string(out, value);
  return out + "}}";
}

std::string_view kind_of(char type) {
  return type == 'N' ? "a number of at most 38 digits" : type == 'B' ? "base64" : "UTF-8 text";
}

/// "name":{"N":"5"}, checked and canonical.
std::string member_of(const dynamodb::key_attribute& named, std::string_view value) {
  const auto refuse = [&] {
    return format_error(fmt::format("the value of {} is not {}", named.name, kind_of(named.type)));
  };
  if (!text::valid_utf8(value)) throw refuse();
  std::string item;
  try {
    canonicalizer().item(json_of(named, value), item);
  } catch (const format_error&) {
    throw refuse();
  }
  return item.substr(1, item.size() - 2);
}

std::string joined(const std::vector<std::string>& words, const dynamodb::key_schema& schema) {
  std::vector<std::string> members(schema.size());
  for (const std::string& word : words) {
    const dynamodb::key_attribute* const named = named_by(word, schema);
    if (named == nullptr) {
      if (words.size() > 1 && is_json(word)) throw format_error("DynamoDB JSON is the whole key, in one argument");
      throw format_error("an argument is neither DynamoDB JSON nor NAME=VALUE with the name of a key attribute");
    }
    std::string& member = members[static_cast<std::size_t>(named - schema.data())];
    if (!member.empty()) throw format_error(fmt::format("{} is given twice", named->name));
    member = member_of(*named, std::string_view(word).substr(named->name.size() + 1));
  }
  std::string item;
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (members[i].empty()) throw format_error(fmt::format("{} is missing", schema[i].name));
    (item += i == 0 ? '{' : ',') += members[i];
  }
  return item + "}";
}

}  // namespace

std::string read_item_key(const std::vector<std::string>& words, const dynamodb::key_schema& schema) {
  if (words.empty()) throw format_error("no key is given");
  const bool json = words.size() == 1 && is_json(words.front());
  std::string item;
  std::string key;
  canonicalizer().item_and_key(json ? words.front() : joined(words, schema), schema, item, key);
  if (item != key) throw format_error("there are attributes that are no key attributes");
  for (const attribute_member& m : members_of(key))
    if (m.value.string().empty()) throw format_error(fmt::format("the value of {} is empty", m.name));
  return key;
}

}  // namespace dynabackup::archive
