#include "fakes/server/options.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

namespace dynabackup::fakes {
namespace {

TEST_CASE("options of aws-fake are read") {
  const fake_options o =
      parse_options({"--port", "4242", "--bucket", "a", "--bucket", "b:unversioned", "--table", "t:5", "--table",
                     "u:6:700", "--create-table", "c:k(N)", "--faults", "0.1", "--seed", "9", "--max-body", "1000"});
  CHECK(o.port == 4242);
  REQUIRE(o.buckets.size() == 2);
  CHECK(o.buckets[0].versioned);
  CHECK(o.buckets[1].name == "b");
  CHECK_FALSE(o.buckets[1].versioned);
  REQUIRE(o.synthetic_tables.size() == 2);
  CHECK(o.synthetic_tables[0].items == 5);
  CHECK(o.synthetic_tables[1].item_bytes == 700);
  REQUIRE(o.tables.size() == 1);
  CHECK(o.tables[0].key == "k");
  CHECK(o.tables[0].type == 'N');
  CHECK(o.faults == 0.1);
  CHECK(o.seed == 9);
  CHECK(o.max_body_bytes == 1000);
  CHECK(parse_options({"--fault-kinds", "late,reset"}).fault_kinds == std::vector{fault_kind::late, fault_kind::reset});
  CHECK(parse_options({"--help"}).help);
}

TEST_CASE("what cannot be meant is refused") {
  const std::vector<std::vector<std::string>> bad{{"--port"},
                                                  {"--port", "70000"},
                                                  {"--port", "x"},
                                                  {"--bucket", ""},
                                                  {"--bucket", "a:b"},
                                                  {"--table", "t"},
                                                  {"--table", "t:"},
                                                  {"--table", "t:1:x"},
                                                  {"--create-table", "t"},
                                                  {"--create-table", "t:k"},
                                                  {"--create-table", "t:k(X)"},
                                                  {"--create-table", "t:(S)"},
                                                  {"--faults", "1.5"},
                                                  {"--faults", "nan"},
                                                  {"--faults", "0.1x"},
                                                  {"--fault-kinds", ""},
                                                  {"--fault-kinds", "late,nonsense"},
                                                  {"--unknown", "1"}};
  for (const auto& arguments : bad) {
    CAPTURE(arguments.back());
    CHECK_THROWS_AS(parse_options(arguments), usage_error);
  }
}

}  // namespace
}  // namespace dynabackup::fakes
