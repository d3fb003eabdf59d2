#include "archive/item_key.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

using namespace dynabackup;

namespace {

using words = std::vector<std::string>;

const dynamodb::key_schema by_id{{"id", 'S'}};
const dynamodb::key_schema two_parts{{"pk", 'S'}, {"at", 'N'}};

std::string refusal(const words& given, const dynamodb::key_schema& schema) {
  try {
    archive::read_item_key(given, schema);
  } catch (const format_error& e) {
    return e.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("a key in DynamoDB JSON, in any spelling") {
  CHECK(archive::read_item_key({R"({"id":{"S":"user-1"}})"}, by_id) == R"({"id":{"S":"user-1"}})");
  CHECK(archive::read_item_key({" {\"pk\" : {\"S\":\"p\"}, \"at\":{\"N\":\"1.0e2\"} } "}, two_parts) ==
        R"({"at":{"N":"100"},"pk":{"S":"p"}})");
}

TEST_CASE("a key as name=value takes its types from the schema") {
  CHECK(archive::read_item_key({"id=user-1"}, by_id) == R"({"id":{"S":"user-1"}})");
  CHECK(archive::read_item_key({"at=+05.0", "pk=5"}, two_parts) == R"({"at":{"N":"5"},"pk":{"S":"5"}})");
  CHECK(archive::read_item_key({"id=a=b \"c\"\n"}, by_id) == R"({"id":{"S":"a=b \"c\"\n"}})");
  CHECK(archive::read_item_key({"id={\"S\":1}"}, by_id) == R"({"id":{"S":"{\"S\":1}"}})");
  CHECK(archive::read_item_key({"b=YR=="}, {{"b", 'B'}}) == R"({"b":{"B":"YQ=="}})");
  CHECK(archive::read_item_key({"n=-12345678901234567890123456789012345678"}, {{"n", 'N'}}) ==
        R"({"n":{"N":"-12345678901234567890123456789012345678"}})");
}

TEST_CASE("names may hold what separates them from values") {
  const dynamodb::key_schema awkward{{"a", 'S'}, {"a=b", 'S'}};
  CHECK(archive::read_item_key({"a=x", "a=b=y"}, awkward) == R"({"a":{"S":"x"},"a=b":{"S":"y"}})");
}

TEST_CASE("a key that is not whole, or more than a key, is refused, and no value is repeated") {
  struct row {
    words given;
    const dynamodb::key_schema& schema;
    const char* why;
  };
  const row rows[] = {
      {{}, by_id, "no key"},
      {{"pk=sesame"}, two_parts, "at is missing"},
      {{"at=5"}, two_parts, "pk is missing"},
      {{"pk=sesame", "pk=sesame", "at=1"}, two_parts, "pk is given twice"},
      {{"sesame"}, by_id, "neither DynamoDB JSON nor NAME=VALUE"},
      {{"name=sesame"}, by_id, "neither DynamoDB JSON nor NAME=VALUE"},
      {{"id=x", R"({"id":{"S":"sesame"}})"}, by_id, "in one argument"},
      {{"pk=x", "at=sesame"}, two_parts, "the value of at is not a number"},
      {{"pk=x", "at=123456789012345678901234567890123456789"}, two_parts, "at most 38 digits"},
      {{"b=sesame!"}, {{"b", 'B'}}, "the value of b is not base64"},
      {{"id=\xff"}, by_id, "the value of id is not UTF-8"},
      {{"id="}, by_id, "is empty"},
      {{R"({"id":{"S":""}})"}, by_id, "is empty"},
      {{R"({"id":{"N":"5"}})"}, by_id, "not of type S"},
      {{R"({"other":{"S":"sesame"}})"}, by_id, "\"id\" is missing"},
      {{R"({"id":{"S":"x"},"more":{"S":"sesame"}})"}, by_id, "no key attributes"},
      {{R"({"id":"sesame"})"}, by_id, "must be an object"},
      {{R"({"id":{"S":"sesame"})"}, by_id, "was expected"},
      {{"{"}, by_id, "was expected"},
  };
  for (const row& r : rows) {
    const std::string said = refusal(r.given, r.schema);
    CAPTURE(said);
    CAPTURE(r.why);
    CHECK(said.find(r.why) != std::string::npos);
    CHECK(said.find("sesame") == std::string::npos);
  }
}
