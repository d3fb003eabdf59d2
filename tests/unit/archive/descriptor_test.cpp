#include "archive/descriptor.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using archive::descriptor;
using archive::kinship;

namespace {

descriptor orders() {
  descriptor d;
  d.table = "Orders";
  d.arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders";
  d.id = "8f1c4e5a-0000-4000-8000-1234567890ab";
  d.created = "1700000000.123";
  d.key = {{"customer \"id\"", 'S'}, {"placed", 'N'}};
  return d;
}

constexpr std::string_view orders_text = R"({
  "format": 1,
  "table": "Orders",
  "arn": "arn:aws:dynamodb:eu-west-1:123456789012:table/Orders",
  "id": "8f1c4e5a-0000-4000-8000-1234567890ab",
  "created": "1700000000.123",
  "key": [{"name": "customer \"id\"", "type": "S"}, {"name": "placed", "type": "N"}]
}
)";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("a descriptor is written in one stable form and read back") {
  CHECK(archive::write_descriptor(orders()) == orders_text);
  const auto read = archive::read_descriptor(orders_text);
  CHECK(read.table == orders().table);
  CHECK(read.arn == orders().arn);
  CHECK(read.id == orders().id);
  CHECK(read.created == orders().created);
  CHECK(read.key == orders().key);
}

TEST_CASE("a descriptor says what DescribeTable said") {
  dynamodb::table_description table;
  table.name = "Orders";
  table.arn = orders().arn;
  table.id = orders().id;
  table.created = orders().created;
  table.key = orders().key;
  table.status = "ACTIVE";
  CHECK(archive::write_descriptor(archive::describe(table)) == orders_text);
}

TEST_CASE("members unknown to this version are ignored") {
  const auto text = replaced(std::string(orders_text), "\"table\"", R"("recorder": {"lease": [1, 2]}, "table")");
  CHECK(archive::write_descriptor(archive::read_descriptor(text)) == orders_text);
}

TEST_CASE("a descriptor that is not whole is refused") {
  const std::string text(orders_text);
  const std::pair<std::string, std::string_view> rows[] = {
      {replaced(text, "\"format\": 1", "\"format\": 2"), "newer version"},
      {replaced(text, "\"format\"", "\"f\""), "member format is missing"},
      {replaced(text, "\"table\"", "\"t\""), "member table is missing"},
      {replaced(text, "\"Orders\"", "\"\""), "member table is empty"},
      {replaced(text, "\"Orders\"", "null"), "member table is not a string"},
      {replaced(text, "\"arn\"", "\"a\""), "member arn is missing"},
      {replaced(text, "\"id\":", "\"i\":"), "member id is missing"},
      {replaced(text, "\"1700000000.123\"", "1700000000.123"), "member created is not a string"},
      {replaced(text, "\"key\"", "\"k\""), "member key is missing"},
      {replaced(text, "\"type\": \"N\"", "\"type\": \"BOOL\""), "a key's type is S, N or B"},
      {replaced(text, "\"type\": \"N\"", "\"type\": \"\""), "a key's type is S, N or B"},
      {replaced(text, "\"placed\"", "\"\""), "an attribute without a name"},
      {replaced(text, "\"placed\"", "\"customer \\\"id\\\"\""), "names one attribute twice"},
      {replaced(text, "\"type\": \"N\"}", "\"type\": \"N\"}, {}"), "member key has more than 2 elements"},
      {text + "{}", "not a JSON document"},
      {"{\"format\":1,\"table\":\"x\",\"arn\":\"\",\"id\":\"\",\"created\":\"\",\"key\":[]}", "names no attribute"},
  };
  for (const auto& [body, part] : rows) {
    CAPTURE(body);
    std::string message;
    try {
      archive::read_descriptor(body);
    } catch (const format_error& e) {
      message = e.what();
    }
    CAPTURE(message);
    CHECK(message.starts_with("descriptor"));
    CHECK(message.find(part) != std::string::npos);
  }
}

TEST_CASE("a table's kinship to a descriptor") {
  using edit = void (*)(descriptor&);
  struct row {
    const char* what;
    edit change;
    kinship expected;
  };
  const row rows[] = {
      {"nothing", [](descriptor&) {}, kinship::same},
      {"no id from the service", [](descriptor& d) { d.id.clear(); }, kinship::same},
      {"another id", [](descriptor& d) { d.id = "other"; }, kinship::recreated},
      {"another creation time", [](descriptor& d) { d.created = "1700000001"; }, kinship::recreated},
      {"another spelling of the time", [](descriptor& d) { d.created += "0"; }, kinship::recreated},
      {"another region", [](descriptor& d) { d.arn[17] = 'u'; }, kinship::recreated},
      {"another table", [](descriptor& d) { d.table = "orders"; }, kinship::other},
      {"another key attribute", [](descriptor& d) { d.key[1].name = "at"; }, kinship::other},
      {"another key type", [](descriptor& d) { d.key[1].type = 'S'; }, kinship::other},
      {"no sort key", [](descriptor& d) { d.key.pop_back(); }, kinship::other},
      {"keys changed round", [](descriptor& d) { std::swap(d.key[0], d.key[1]); }, kinship::other},
      {"another key and another id", [](descriptor& d) { d.id = "other", d.key.pop_back(); }, kinship::other},
  };
  for (const auto& r : rows) {
    CAPTURE(std::string(r.what));
    auto changed = orders();
    r.change(changed);
    CHECK(archive::compare(orders(), changed) == r.expected);
    CHECK(archive::compare(changed, orders()) == r.expected);
  }
}
