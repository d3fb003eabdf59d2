#include "crypto/crc32.hpp"

#include <cstdio>
#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>

#include "fakes/test_data.hpp"
#include "text/codecs.hpp"

using namespace dynabackup;

namespace {

void check_table(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element table = parser.load(file.string());
  std::size_t rows = 0;
  for (const simdjson::dom::element row : table["cases"].get_array()) {
    const std::string bytes = text::unbase64(std::string_view(row["base64_input"])).value();
    CAPTURE(std::string(std::string_view(row["name"])));
    CHECK(std::to_string(crypto::crc32(bytes)) == std::string_view(row["x-amz-crc32"]));
    char hex[9];
    std::snprintf(hex, sizeof hex, "%08x", crypto::crc32(bytes));
    CHECK(std::string(hex) == std::string_view(row["crc32"]));
    ++rows;
  }
  REQUIRE(rows > 0);
}

}  // namespace

TEST_CASE("crc32 agrees with every row of the checksum table") {
  check_table(fakes::own_data("checksums.json"));
  if (const auto more = fakes::public_data("checksums.json")) check_table(*more);
}

TEST_CASE("crc32 in pieces is crc32 of the whole") {
  const std::string bytes = "123456789";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut)
    CHECK(crypto::crc32(bytes.substr(cut), crypto::crc32(bytes.substr(0, cut))) == 0xcbf43926);
}

TEST_CASE("an empty piece changes nothing, even one that points nowhere") {
  CHECK(crypto::crc32(std::string_view(), 0xcbf43926) == 0xcbf43926);
  CHECK(crypto::crc32("", 0xcbf43926) == 0xcbf43926);
  CHECK(crypto::crc32(std::string_view()) == 0);
}
