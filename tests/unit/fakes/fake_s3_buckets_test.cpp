#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "unit/fakes/s3_fixture.hpp"

namespace dynabackup::fakes {
namespace {

response delete_objects(s3_fixture& f, const std::string& objects) {
  const std::string body = "<Delete>" + objects + "</Delete>";
  return f.send("POST", "/v?delete", body, {{"Content-MD5", crypto::md5_base64(body)}});
}

TEST_CASE_FIXTURE(s3_fixture, "buckets come, are listed, and go when they are empty") {
  CHECK(send("PUT", "/new-bucket").status == 200);
  CHECK(code_of(send("PUT", "/new-bucket")) == "BucketAlreadyOwnedByYou");
  CHECK(code_of(send("PUT", "/Bad_Name")) == "InvalidBucketName");
  const xml_answer list(send("GET", "/"));
  CHECK(list.root().child("Buckets").first_child().child_value("Name") == std::string("new-bucket"));
  CHECK(send("HEAD", "/new-bucket").status == 200);
  CHECK(send("HEAD", "/new-bucket").header_value("x-amz-bucket-region") == "us-east-1");
  put("/new-bucket/k");
  CHECK(code_of(send("DELETE", "/new-bucket")) == "BucketNotEmpty");
  send("DELETE", "/new-bucket/k");
  CHECK(send("DELETE", "/new-bucket").status == 204);
  CHECK(send("HEAD", "/new-bucket").status == 404);
  CHECK(send("HEAD", "/new-bucket").body.empty());
}

TEST_CASE_FIXTURE(s3_fixture, "versioning is told and set") {
  CHECK(xml_answer(send("GET", "/v?versioning=")).text("Status") == "Enabled");
  CHECK(xml_answer(send("GET", "/u?versioning")).text("Status") == "");
  suspend_versioning("v");
  CHECK(xml_answer(send("GET", "/v?versioning")).text("Status") == "Suspended");
  CHECK(send("PUT", "/u?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
            .status == 200);
  CHECK_FALSE(put("/u/k").empty());
  CHECK(code_of(send("PUT", "/u?versioning", "<VersioningConfiguration/>")) == "MalformedXML");
  CHECK(code_of(send("PUT", "/u?versioning", "nonsense")) == "MalformedXML");
}

TEST_CASE_FIXTURE(s3_fixture, "lifecycle rules are kept as they were put, until they are removed") {
  CHECK(code_of(send("GET", "/v?lifecycle")) == "NoSuchLifecycleConfiguration");
  const std::string rules = "<LifecycleConfiguration><Rule><ID>r</ID></Rule></LifecycleConfiguration>";
  CHECK(send("PUT", "/v?lifecycle", rules).status == 200);
  CHECK(send("GET", "/v?lifecycle=").body == rules);
  CHECK(code_of(send("GET", "/u?lifecycle")) == "NoSuchLifecycleConfiguration");
  CHECK(code_of(send("PUT", "/v?lifecycle", "<LifecycleConfiguration/>")) == "MalformedXML");
  CHECK(send("DELETE", "/v?lifecycle").status == 204);
  CHECK(code_of(send("GET", "/v?lifecycle")) == "NoSuchLifecycleConfiguration");
}

TEST_CASE_FIXTURE(s3_fixture, "DeleteObjects tells of each object what became of it") {
  const std::string old = s3.put("v", "a", "1", {});
  s3.put("v", "a", "2", {});
  s3.put("v", "b", "1", {});
  const xml_answer done(delete_objects(*this, "<Object><Key>a</Key><VersionId>" + old +
                                                  "</VersionId></Object><Object><Key>b</Key></Object>"
                                                  "<Object><Key>c</Key><VersionId>nonsense</VersionId></Object>"));
  CHECK(done.each("Deleted", "Key") == texts{"a", "b"});
  CHECK(done.each("Deleted", "DeleteMarker") == texts{"", "true"});
  CHECK(done.each("Error", "Code") == texts{"InvalidArgument"});
  CHECK(s3.versions("v", "a").size() == 1);
  CHECK(s3.versions("v", "b").at(0).delete_marker());
}

TEST_CASE_FIXTURE(s3_fixture,
                  "DeleteObjects may be quiet about what went well, and wants a digest and at most 1,000 keys") {
  const xml_answer quiet(delete_objects(*this, "<Quiet>true</Quiet><Object><Key>a</Key></Object>"));
  CHECK(quiet.each("Deleted", "Key").empty());
  CHECK(s3.versions("v", "a").size() == 1);
  CHECK(code_of(send("POST", "/v?delete", "<Delete><Object><Key>a</Key></Object></Delete>")) == "InvalidRequest");
  std::string many;
  for (int i = 0; i < 1001; ++i) many += "<Object><Key>k</Key></Object>";
  CHECK(code_of(delete_objects(*this, many)) == "MalformedXML");
  CHECK(code_of(delete_objects(*this, "")) == "MalformedXML");
}

}  // namespace
}  // namespace dynabackup::fakes
