#include "dynabackup/attribute.hpp"

#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"

using namespace dynabackup;

TEST_CASE("an attribute value is its type and what stands behind it") {
  const attribute text(R"({"S":"a\"b}"})");
  CHECK(text.type() == "S");
  CHECK(text.value() == R"("a\"b}")");
  CHECK(text.string() == R"(a\"b})");
  CHECK_FALSE(text.is_set());
  CHECK(attribute(R"({"BOOL":true})").value() == "true");
  CHECK(attribute(R"({"NS":["1"]})").is_set());
}

TEST_CASE("maps have members, lists and sets elements") {
  const attribute map(R"({"M":{"a":{"L":[{"S":"]"},{"M":{}}]},"b\"":{"NULL":true}}})");
  const auto members = map.members();
  REQUIRE(members.size() == 2);
  CHECK(members[0].name == "\"a\"");
  CHECK(members[1].name == R"("b\"")");
  const auto elements = members[0].value.elements();
  REQUIRE(elements.size() == 2);
  CHECK(elements[0] == R"({"S":"]"})");
  CHECK(elements[1] == R"({"M":{}})");
  CHECK(attribute(R"({"SS":["a","b,c"]})").elements().size() == 2);
  CHECK(attribute(R"({"L":[]})").elements().empty());
  CHECK(members_of("{}").empty());
}

TEST_CASE("what is cut or no attribute value at all is refused") {
  for (const char* bad : {"", "{", "{}", "x", R"("S")", R"({"S")", R"({"S":)", R"({"S":})", R"({"S":"x")",
                          R"({"S":"x"}})", R"({"S":"x)", R"({"S":"\)", R"({"S":"x","N":"1"})", R"({"M":{"a")"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(attribute{bad}, format_error);
  }
  CHECK_THROWS_AS(members_of(R"({"a":{"S":"x"},})"), format_error);
  CHECK_THROWS_AS(members_of(R"({"a":{"S":"x"})"), format_error);
  CHECK_THROWS_AS((void)attribute(R"({"L":["a" "b"]})").elements(), format_error);
  CHECK_THROWS_AS((void)attribute(R"({"M":{]})").members(), format_error);
  CHECK_THROWS_AS((void)attribute(R"({"BOOL":true})").string(), format_error);
}
