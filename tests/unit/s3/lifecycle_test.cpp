#include "s3/lifecycle.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

using namespace dynabackup;
using std::chrono::days;

namespace {

std::vector<s3::lifecycle_rule> rules_in(const std::string& inside) {
  return s3::read_lifecycle(
      R"(<?xml version="1.0"?><LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)" + inside +
      "</LifecycleConfiguration>");
}

}  // namespace

TEST_CASE("what the rules of a bucket are about, wherever their prefix stands") {
  const auto rules = rules_in(
      "<Rule><ID>a</ID><Filter><Prefix>x/</Prefix></Filter><Status>Enabled</Status><NoncurrentVersionExpiration>"
      "<NoncurrentDays>30</NoncurrentDays><NewerNoncurrentVersions>5</NewerNoncurrentVersions>"
      "</NoncurrentVersionExpiration></Rule>"
      "<Rule><ID>b</ID><Prefix>y/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
      "<Rule><ID>c</ID><Status>Disabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
      "<Rule><ID>d</ID><Filter><And><Prefix>z</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter>"
      "<Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"
      "<NoncurrentVersionExpiration/></Rule>");
  REQUIRE(rules.size() == 3);
  CHECK(rules[0].id == "a");
  CHECK(rules[0].prefix == "x/");
  CHECK(rules[0].noncurrent == days{30});
  CHECK_FALSE(rules[0].expires_current);
  CHECK_FALSE(rules[0].tagged);
  CHECK(rules[1].prefix == "y/");
  CHECK(rules[1].expires_current);
  CHECK_FALSE(rules[1].noncurrent);
  CHECK(rules[2].prefix == "z");
  CHECK(rules[2].tagged);
  CHECK_FALSE(rules[2].expires_current);
  CHECK(rules[2].noncurrent == days{0});
}

TEST_CASE("archive classes are those whose objects have to be restored first") {
  const auto rules = rules_in(
      "<Rule><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER_IR</StorageClass></Transition>"
      "<NoncurrentVersionTransition><NoncurrentDays>9</NoncurrentDays><StorageClass>GLACIER</StorageClass>"
      "</NoncurrentVersionTransition><NoncurrentVersionTransition><NoncurrentDays>5</NoncurrentDays>"
      "<StorageClass>DEEP_ARCHIVE</StorageClass></NoncurrentVersionTransition></Rule>"
      "<Rule><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></"
      "Rule>");
  REQUIRE(rules.size() == 2);
  CHECK_FALSE(rules[0].archives_current);
  CHECK(rules[0].archives_noncurrent == days{5});
  CHECK(rules[1].archives_current);
  CHECK_FALSE(rules[1].archives_noncurrent);
}

TEST_CASE("a rule is off only where it says so") {
  CHECK(rules_in("<Rule><ID>r</ID></Rule><Rule><Status>enabled</Status></Rule>").size() == 2);
  CHECK(rules_in("<Rule><Status>Disabled</Status></Rule>").empty());
}

TEST_CASE("days that cannot be read count as none") {
  for (const char* text : {"", "x", "-1", "99999999999999999999", "3.5"}) {
    const auto rules = rules_in("<Rule><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>" +
                                std::string(text) + "</NoncurrentDays></NoncurrentVersionExpiration></Rule>");
    REQUIRE(rules.size() == 1);
    CHECK(rules[0].noncurrent == days{0});
  }
}

TEST_CASE("anything else is refused") {
  for (const char* body : {"", "no XML", "<Error/>", "<LifecycleConfiguration>", "{}"})
    CHECK_THROWS_AS(s3::read_lifecycle(body), format_error);
  CHECK(rules_in("").empty());
}
