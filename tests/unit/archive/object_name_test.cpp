#include "archive/object_name.hpp"

#include <doctest/doctest.h>

namespace archive = dynabackup::archive;
using dynabackup::s3_location;

TEST_CASE("an object's name is the SHA-256 of its canonical key") {
  CHECK(archive::object_name(R"({"id":{"S":"user-1"}})") ==
        "1955c99d6c94781eff8e4e7956e0da0d7dba51075deab9510a9af5bc91716dc9");
  CHECK(archive::is_object_name(archive::object_name("")));
}

TEST_CASE("only 64 lower hexadecimal digits name an item") {
  const std::string name = "1955c99d6c94781eff8e4e7956e0da0d7dba51075deab9510a9af5bc91716dc9";
  CHECK(archive::is_object_name(name));
  CHECK_FALSE(archive::is_object_name(""));
  CHECK_FALSE(archive::is_object_name(name.substr(1)));
  CHECK_FALSE(archive::is_object_name(name + "0"));
  CHECK_FALSE(archive::is_object_name("1955C99D6C94781EFF8E4E7956E0DA0D7DBA51075DEAB9510A9AF5BC91716DC9"));
  CHECK_FALSE(archive::is_object_name(name.substr(1) + "g"));
  CHECK_FALSE(archive::is_object_name(name.substr(1) + "/"));
  CHECK_FALSE(archive::is_object_name(".dynabackup/descriptor.json"));
}

TEST_CASE("bookkeeping lies under the prefix, apart from the items") {
  const s3_location home{"bucket", "backup/users/"};
  CHECK(archive::descriptor_key(home) == "backup/users/.dynabackup/descriptor.json");
  CHECK(archive::run_key(home, "r1") == "backup/users/.dynabackup/runs/r1.json");
  CHECK(archive::probe_key(home, "r1") == "backup/users/.dynabackup/probes/r1");
  CHECK(archive::manifest_key(home, "2026.json.gz") == "backup/users/.dynabackup/2026.json.gz.manifest.json");
  CHECK(archive::descriptor_key({"bucket", ""}) == ".dynabackup/descriptor.json");
}
