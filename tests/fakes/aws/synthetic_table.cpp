#include "fakes/aws/synthetic_table.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

#include "fakes/aws/dynamodb_item.hpp"

namespace dynabackup::fakes {
namespace {

// The letters stand where the index decides: I the id's digits, C and R digits of numbers, B base64, F the filling.
// No number ends in a zero, so that every item is of one size.
constexpr std::string_view spelled_form =
    R"({"name":{"S":"\u00c4pfel \/ \"%F\""},"id":{"S":"item-%I"},"count":{"N":"%C"},"rate":{"N":"-0.%R"},)"
    R"("tags":{"SS":["red","a\u0062c","Z"]},"flag":{"BOOL":true},"blob":{"B":"%B"},)"
    R"("more":{"M":{"z":{"L":[{"NULL":true},{"NS":["9","10"]}]},"e":{"S":""}}}})";
constexpr std::string_view canonical_form =
    R"({"blob":{"B":"%B"},"count":{"N":"%C"},"flag":{"BOOL":true},"id":{"S":"item-%I"},)"
    R"("more":{"M":{"e":{"S":""},"z":{"L":[{"NULL":true},{"NS":["10","9"]}]}}},)"
    "\"name\":{\"S\":\"\xC3\x84pfel / \\\"%F\\\"\"},"
    R"("rate":{"N":"-0.%R"},"tags":{"SS":["Z","abc","red"]}})";

constexpr std::size_t id_digits = 20;
constexpr std::size_t number_digits = 9;
constexpr std::size_t blob_letters = 12;
constexpr std::string_view key_before = R"({"id":{"S":"item-)";
constexpr std::string_view key_after = R"("}})";

std::uint64_t split_mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

void write_digits(char* to, std::size_t digits, std::uint64_t value) {
  for (char* at = to + digits; at != to; value /= 10) *--at = static_cast<char>('0' + value % 10);
}

/// Digits without a zero at either end.
void write_number(char* to, std::uint64_t value) {
  write_digits(to, number_digits, value);
  to[0] = static_cast<char>('1' + value % 9);
  to[number_digits - 1] = static_cast<char>('1' + value / 9 % 9);
}

/// Sixteen different letters from 'a' on.
void write_letters(char* to, std::size_t count, std::uint64_t seed) {
  for (std::size_t at = 0; at < count; at += 8) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    const std::uint64_t eight = ((seed >> 17) & 0x0F0F0F0F0F0F0F0F) + 0x6161616161616161;
    std::memcpy(to + at, &eight, std::min<std::size_t>(8, count - at));
  }
}

}  // namespace

/// The form with room for the value at each mark, whose places it notes.
synthetic_items::pattern synthetic_items::make(std::string_view form, std::size_t filling) {
  pattern p{};
  const auto room = [&](std::size_t& place, std::size_t bytes) {
    place = p.text.size();
    p.text.append(bytes, 'x');
  };
  for (std::size_t i = 0; i < form.size(); ++i) {
    if (form[i] != '%') {
      p.text += form[i];
      continue;
    }
    const char mark = form[++i];
    if (mark == 'I') room(p.id, id_digits);
    if (mark == 'C') room(p.count, number_digits);
    if (mark == 'R') room(p.rate, number_digits);
    if (mark == 'B') room(p.blob, blob_letters);
    if (mark == 'F') room(p.filling, filling);
  }
  return p;
}

synthetic_items::synthetic_items(std::size_t item_bytes)
    : filling_(item_bytes - std::min(item_bytes, make(spelled_form, 0).text.size())),
      spelled_(make(spelled_form, filling_)),
      canonical_(make(canonical_form, filling_)) {
  std::string first;
  append_canonical(first, 0);
  size_ = item_size(first);
}

void synthetic_items::fill(std::string& out, const pattern& p, std::uint64_t i) const {
  const std::size_t begin = out.size();
  out += p.text;
  char* item = out.data() + begin;
  const std::uint64_t random = split_mix(i);
  write_digits(item + p.id, id_digits, i);
  write_number(item + p.count, random);
  write_number(item + p.rate, random >> 20);
  write_letters(item + p.blob, blob_letters, random ^ 0x5555);
  write_letters(item + p.filling, filling_, random);
}

void synthetic_items::append(std::string& out, std::uint64_t i) const { fill(out, spelled_, i); }

void synthetic_items::append_canonical(std::string& out, std::uint64_t i) const { fill(out, canonical_, i); }

std::string synthetic_items::key(std::uint64_t i) { return fmt::format("{}{:020}{}", key_before, i, key_after); }

std::optional<std::uint64_t> synthetic_items::index(std::string_view canonical_key) {
  if (canonical_key.size() != key_before.size() + id_digits + key_after.size()) return std::nullopt;
  std::uint64_t index = 0;
  for (const char c : canonical_key.substr(key_before.size(), id_digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return key(index) == canonical_key ? std::optional(index) : std::nullopt;
}

}  // namespace dynabackup::fakes
