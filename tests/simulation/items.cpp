#include "simulation/items.hpp"

#include <array>

#include "text/codecs.hpp"

namespace dynabackup::simulation {
namespace {

constexpr std::array<const char*, 8> texts{"",
                                           "plain",
                                           "\\u0000\\b\\\"\\\\/",
                                           "\xc3\xa9\xe2\x82\xac",
                                           "\\ud83d\\ude00",
                                           "{\\\"Item\\\":{}}",
                                           "line\\nline",
                                           "\xef\xbd\x9e z"};
constexpr std::array<const char*, 9> numbers{"0",
                                             "-0.0",
                                             "1E+3",
                                             "9007199254740993",
                                             "-1e-130",
                                             "007.50",
                                             ".5",
                                             "1.1E-7",
                                             "12345678901234567890123456789012345678"};

std::string quoted(std::string_view text) { return '"' + std::string(text) + '"'; }

std::string random_bytes(dice& chance) {
  std::string bytes;
  for (std::uint64_t left = chance.below(12); left > 0; --left) bytes += static_cast<char>(chance.below(256));
  return text::base64(bytes);
}

std::string random_set(dice& chance) {
  const std::uint64_t size = 1 + chance.below(3);
  const std::uint64_t kind = chance.below(3);
  std::string members;
  for (std::uint64_t i = 0; i < size; ++i) {
    const std::string value = std::to_string(chance.below(1000) * 10 + i);  // distinct by the last digit
    if (!members.empty()) members += ',';
    members += quoted(kind == 0 ? "s" + value : kind == 1 ? value : text::base64("b" + value));
  }
  return std::string(kind == 0 ? R"({"SS":[)" : kind == 1 ? R"({"NS":[)" : R"({"BS":[)") + members + "]}";
}

std::string random_value(dice& chance, int depth);

std::string random_list(dice& chance, int depth) {
  std::string members;
  for (std::uint64_t left = chance.below(3); left > 0; --left)
    members += (members.empty() ? "" : ", ") + random_value(chance, depth + 1);
  return R"({"L":[)" + members + "]}";
}

std::string random_map(dice& chance, int depth) {
  std::string members;
  for (std::uint64_t left = chance.below(3); left > 0; --left)
    members +=
        (members.empty() ? "" : ", ") + quoted("m" + std::to_string(left)) + ":" + random_value(chance, depth + 1);
  return R"({"M":{)" + members + "}}";
}

std::string random_value(dice& chance, int depth) {
  switch (chance.below(depth < 2 ? 8 : 6)) {
    case 0:
      return R"({"S":)" + quoted(chance.pick(texts)) + "}";
    case 1:
      return R"({"N":)" + quoted(chance.pick(numbers)) + "}";
    case 2:
      return R"({"B":)" + quoted(random_bytes(chance)) + "}";
    case 3:
      return chance.one_in(2) ? R"({"BOOL":true})" : R"({"BOOL":false})";
    case 4:
      return R"({"NULL":true})";
    case 5:
      return random_set(chance);
    case 6:
      return random_list(chance, depth);
    default:
      return random_map(chance, depth);
  }
}

std::string key_value(char type, std::uint64_t n) {
  if (type == 'N') return R"({"N":")" + std::to_string(n) + (n % 3 == 0 ? ".50" : "") + R"("})";
  if (type == 'B') return R"({"B":)" + quoted(text::base64("k" + std::to_string(n))) + "}";
  return R"({"S":"user-)" + std::to_string(n) + R"("})";
}

}  // namespace

dynamodb::key_schema random_key_schema(dice& chance) {
  constexpr std::array types{'S', 'N', 'B'};
  dynamodb::key_schema key{{"id", chance.pick(types)}};
  if (chance.one_in(2)) key.push_back({"at", chance.pick(types)});
  return key;
}

std::string key_members(const dynamodb::key_schema& key, std::uint64_t n) {
  if (key.size() == 1) return quoted(key[0].name) + ":" + key_value(key[0].type, n);
  return quoted(key[0].name) + ":" + key_value(key[0].type, n / 4) + "," + quoted(key[1].name) + ":" +
         key_value(key[1].type, n % 4);
}

std::string random_item(dice& chance, const std::string& key_members, std::uint64_t revision) {
  std::string item = "{" + key_members + R"(,"rev":{"N":")" + std::to_string(revision) + R"("})";
  for (std::uint64_t left = chance.below(5); left > 0; --left)
    item += ", " + quoted("a" + std::to_string(left)) + ": " + random_value(chance, 0);
  return item + "}";
}

}  // namespace dynabackup::simulation
