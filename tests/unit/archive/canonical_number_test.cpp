#include <doctest/doctest.h>
#include <string>
#include <utility>
#include <vector>

#include "archive/canonical_json.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;

namespace {

std::string zeros(std::size_t n) { return std::string(n, '0'); }
std::string nines(std::size_t n) { return std::string(n, '9'); }
const std::string digits_38 = "12345678901234567890123456789012345678";

}  // namespace

TEST_CASE("a number has one canonical spelling") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"0", "0"},
      {"-0", "0"},
      {"+0", "0"},
      {"-0.0", "0"},
      {"0.000", "0"},
      {".0", "0"},
      {"0.", "0"},
      {"000", "0"},
      {"0e5", "0"},
      {"-0E-5", "0"},
      {"0e999999999999999999999999", "0"},
      {"0e-999999999999999999999999", "0"},
      {"1", "1"},
      {"-1", "-1"},
      {"+5", "5"},
      {".5", "0.5"},
      {"-.5", "-0.5"},
      {"+.5", "0.5"},
      {"5.", "5"},
      {"5.e1", "50"},
      {".5e1", "5"},
      {"007", "7"},
      {"-007.50", "-7.5"},
      {"1.0", "1"},
      {"1.500", "1.5"},
      {"10", "10"},
      {"100", "100"},
      {"1e0", "1"},
      {"1E0", "1"},
      {"1e+0", "1"},
      {"1e-0", "1"},
      {"1e000003", "1000"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"10e2", "1000"},
      {"1000e0", "1000"},
      {"100000e-2", "1000"},
      {"0.001e6", "1000"},
      {"0.0001e7", "1000"},
      {"125E-2", "1.25"},
      {"1.25e1", "12.5"},
      {"1.25e2", "125"},
      {"1.25e3", "1250"},
      {"12.5e-1", "1.25"},
      {"12.5e-2", "0.125"},
      {"12.5e-3", "0.0125"},
      {"1.1E-7", "0.00000011"},
      {"0.1", "0.1"},
      {"0.30000000000000004", "0.30000000000000004"},
      {"100.001", "100.001"},
      {"1001e-3", "1.001"},
      {"9007199254740993", "9007199254740993"},
      {"18446744073709551616", "18446744073709551616"},
      {"-9223372036854775809", "-9223372036854775809"},
      {"123456789.987654321", "123456789.987654321"},
      {digits_38, digits_38},
      {"-" + digits_38, "-" + digits_38},
      {digits_38 + "0", digits_38 + "0"},
      {digits_38 + zeros(88), digits_38 + zeros(88)},
      {"000" + digits_38 + ".000", digits_38},
      {"0." + digits_38, "0." + digits_38},
      {"1." + digits_38.substr(1), "1." + digits_38.substr(1)},
      {digits_38 + "e-38", "0." + digits_38},
      {digits_38 + "e-19", digits_38.substr(0, 19) + "." + digits_38.substr(19)},
      {"1" + zeros(36) + "1", "1" + zeros(36) + "1"},
      {"1E+125", "1" + zeros(125)},
      {"-1e125", "-1" + zeros(125)},
      {"1" + zeros(125), "1" + zeros(125)},
      {"0.1e126", "1" + zeros(125)},
      {"9.9999999999999999999999999999999999999E+125", nines(38) + zeros(88)},
      {"1e-130", "0." + zeros(129) + "1"},
      {"-1E-130", "-0." + zeros(129) + "1"},
      {"0." + zeros(129) + "1", "0." + zeros(129) + "1"},
      {"1000e-133", "0." + zeros(129) + "1"},
      {"1.5e-130", "0." + zeros(129) + "15"},
      {digits_38 + "e-167", "0." + zeros(129) + digits_38},
      {zeros(100'000) + "1", "1"},
      {"1." + zeros(100'000), "1"},
      {"0." + zeros(100'000) + "1e100001", "1"},
      {"1" + zeros(100'000) + "e-100000", "1"},
  };
  for (const auto& [text, plain] : rows) {
    CAPTURE(text.substr(0, 80));
    CHECK(archive::canonical_number(text) == plain);
    CHECK(archive::canonical_number(plain) == plain);
  }
}

TEST_CASE("what is no DynamoDB number is refused") {
  const std::string rows[] = {"",
                              " ",
                              "+",
                              "-",
                              ".",
                              "-.",
                              "e5",
                              ".e5",
                              "-e5",
                              "1e",
                              "1e+",
                              "1e-",
                              "1e5.0",
                              "1e5e5",
                              "1.2.3",
                              "..5",
                              "5..",
                              "--1",
                              "+-1",
                              "1-",
                              "1 ",
                              " 1",
                              "1 000",
                              "1,000",
                              "1_000",
                              "0x10",
                              "NaN",
                              "nan",
                              "Infinity",
                              "-Infinity",
                              "inf",
                              "1f",
                              "\xd9\xa1",
                              std::string("1\0", 2),
                              std::string("\0", 1),
                              digits_38 + "9",
                              "0." + digits_38 + "9",
                              "1" + zeros(37) + "1",
                              "1." + zeros(100'000) + "1",
                              "1E+126",
                              "-1E+126",
                              "10e125",
                              "1" + zeros(126),
                              "1E-131",
                              "9.9e-131",
                              "0." + zeros(130) + "1",
                              "1e999999999",
                              "1e-999999999",
                              "1e99999999999999999999999999999999",
                              "-1e-99999999999999999999999999999999"};
  for (const auto& text : rows) {
    CAPTURE(text.substr(0, 80));
    CHECK_THROWS_AS(archive::canonical_number(text), dynabackup::format_error);
  }
}
