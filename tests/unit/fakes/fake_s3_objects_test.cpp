#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "unit/fakes/s3_fixture.hpp"

namespace dynabackup::fakes {
namespace {

const std::string hello_md5 = "5d41402abc4b2a76b9719d911017c592";
const std::string hello_tag = '"' + hello_md5 + '"';

TEST_CASE_FIXTURE(s3_fixture, "what was put is got, with its type, metadata, ETag and time in whole seconds") {
  const response stored = send("PUT", "/v/a%20b/%C3%A9", "hello",
                               {{"Content-Type", "application/json"},
                                {"X-Amz-Meta-Source", "backfill"},
                                {"x-amz-meta-md5", "abc"},
                                {"Content-MD5", crypto::md5_base64("hello")}});
  CHECK(stored.status == 200);
  CHECK(stored.header_value("ETag") == hello_tag);
  CHECK(stored.header_value("Date") == "Sun, 22 Nov 2026 11:45:03 GMT");
  CHECK(stored.header_value("x-amz-request-id").size() == 16);
  CHECK(stored.body.empty());

  const response got = send("GET", "/v/a%20b/%c3%a9");
  CHECK(got.status == 200);
  CHECK(got.body == "hello");
  CHECK(got.body.capacity() >= got.body.size() + response::body_padding);
  CHECK(got.header_value("ETag") == hello_tag);
  CHECK(got.header_value("Content-Type") == "application/json");
  CHECK(got.header_value("x-amz-meta-source") == "backfill");
  CHECK(got.header_value("x-amz-meta-md5") == "abc");
  CHECK(got.header_value("Last-Modified") == "Sun, 22 Nov 2026 11:45:03 GMT");
  CHECK(got.header_value("x-amz-version-id") == stored.header_value("x-amz-version-id"));
  CHECK(s3.versions("v", "a b/\xc3\xa9").at(0).last_modified == now);

  const response head = send("HEAD", "/v/a%20b/%C3%A9");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(head.header_value("Content-Length") == "5");
}

TEST_CASE_FIXTURE(s3_fixture, "a body is held against the digests that come with it") {
  struct row {
    std::string name, value, code;
  };
  const std::vector<row> rows{{"Content-MD5", crypto::md5_base64("other"), "BadDigest"},
                              {"Content-MD5", "nonsense", "InvalidDigest"},
                              {"Content-MD5", "YWJj", "InvalidDigest"},
                              {"x-amz-checksum-crc32", "AAAAAA==", "BadDigest"},
                              {"x-amz-checksum-sha256", "AAAAAA==", "BadDigest"}};
  for (const row& r : rows) {
    CAPTURE(r.name);
    const response answer = send("PUT", "/v/k", "hello", {{r.name, r.value}});
    CHECK(answer.status == 400);
    CHECK(code_of(answer) == r.code);
  }
  CHECK(s3.versions("v", "k").empty());
  CHECK(send("PUT", "/v/k", "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}}).status == 200);
}

TEST_CASE_FIXTURE(s3_fixture, "If-None-Match lets a write pass where no object is, also over a delete marker") {
  const std::vector<header> absent{{"If-None-Match", "*"}};
  CHECK(send("PUT", "/v/k", "1", absent).status == 200);
  const response refused = send("PUT", "/v/k", "2", absent);
  CHECK(refused.status == 412);
  CHECK(code_of(refused) == "PreconditionFailed");
  CHECK(send("DELETE", "/v/k").status == 204);
  CHECK(send("PUT", "/v/k", "3", absent).status == 200);
  CHECK(s3.versions("v", "k").size() == 3);
  CHECK(send("PUT", "/v/new", "1", {{"If-None-Match", "\"e\""}}).status == 501);
}

TEST_CASE_FIXTURE(s3_fixture, "If-Match lets a write pass over that very object only") {
  CHECK(code_of(send("PUT", "/v/k", "1", {{"If-Match", hello_tag}})) == "NoSuchKey");
  put("/v/k", "hello");
  CHECK(send("PUT", "/v/k", "2", {{"If-Match", "\"other\""}}).status == 412);
  CHECK(send("PUT", "/v/k", "2", {{"If-Match", hello_tag}}).status == 200);
  send("DELETE", "/v/k");
  const response over_marker = send("PUT", "/v/k", "3", {{"If-Match", hello_tag}});
  CHECK(over_marker.status == 404);
  CHECK(code_of(over_marker) == "NoSuchKey");
}

TEST_CASE("a store may ignore conditions in versioned buckets") {
  s3_fixture f({.conditions_enforced = false});
  f.put("/v/k");
  f.put("/u/k");
  CHECK(f.send("PUT", "/v/k", "2", {{"If-None-Match", "*"}}).status == 200);
  CHECK(f.send("PUT", "/u/k", "2", {{"If-None-Match", "*"}}).status == 412);
}

TEST_CASE_FIXTURE(s3_fixture, "ranges are answered as asked, cut at the end, or refused") {
  put("/v/k", "0123456789");
  struct row {
    std::string range;
    int status;
    std::string body, content_range;
  };
  const std::vector<row> rows{{"bytes=2-4", 206, "234", "bytes 2-4/10"},
                              {"bytes=8-99", 206, "89", "bytes 8-9/10"},
                              {"bytes=7-", 206, "789", "bytes 7-9/10"},
                              {"bytes=-3", 206, "789", "bytes 7-9/10"},
                              {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
                              {"bytes=4-2", 200, "0123456789", ""},
                              {"lines=1-2", 200, "0123456789", ""},
                              {"bytes=1-2,4-5", 200, "0123456789", ""},
                              {"bytes=x-2", 200, "0123456789", ""}};
  for (const row& r : rows) {
    CAPTURE(r.range);
    const response answer = send("GET", "/v/k", "", {{"Range", r.range}});
    CHECK(answer.status == r.status);
    CHECK(answer.body == r.body);
    CHECK(answer.header_value("Content-Range") == r.content_range);
    CHECK(answer.header_value("Content-Length") == std::to_string(r.body.size()));
  }
  const response beyond = send("GET", "/v/k", "", {{"Range", "bytes=10-"}});
  CHECK(beyond.status == 416);
  CHECK(code_of(beyond) == "InvalidRange");
  CHECK(send("GET", "/v/k", "", {{"Range", "bytes=-0"}}).status == 416);
}

TEST_CASE_FIXTURE(s3_fixture, "reads obey If-Match and If-None-Match") {
  put("/v/k", "hello");
  CHECK(send("GET", "/v/k", "", {{"If-Match", hello_tag}}).status == 200);
  CHECK(send("GET", "/v/k", "", {{"If-Match", "\"other\""}}).status == 412);
  const response known = send("GET", "/v/k", "", {{"If-None-Match", hello_tag}});
  CHECK(known.status == 304);
  CHECK(known.body.empty());
}

TEST_CASE_FIXTURE(s3_fixture, "a marker hides the object; its versions stay, and it can be removed again") {
  const std::string first = put("/v/k", "1");
  const std::string second = put("/v/k", "2");
  const response removed = send("DELETE", "/v/k");
  CHECK(removed.status == 204);
  CHECK(removed.header_value("x-amz-delete-marker") == "true");
  const std::string marker(removed.header_value("x-amz-version-id"));
  CHECK(first != second);
  CHECK(second != marker);

  const response hidden = send("GET", "/v/k");
  CHECK(hidden.status == 404);
  CHECK(code_of(hidden) == "NoSuchKey");
  CHECK(hidden.header_value("x-amz-delete-marker") == "true");
  CHECK(hidden.header_value("x-amz-version-id") == marker);
  const response by_marker = send("GET", "/v/k?versionId=" + marker);
  CHECK(by_marker.status == 405);
  CHECK(by_marker.header_value("x-amz-delete-marker") == "true");
  CHECK(send("HEAD", "/v/k?versionId=" + marker).status == 405);
  CHECK(send("HEAD", "/v/k?versionId=" + marker).body.empty());
  CHECK(send("GET", "/v/k?versionId=" + first).body == "1");

  const response unburied = send("DELETE", "/v/k?versionId=" + marker);
  CHECK(unburied.header_value("x-amz-delete-marker") == "true");
  CHECK(unburied.header_value("x-amz-version-id") == marker);
  CHECK(send("GET", "/v/k").body == "2");
  const response gone = send("DELETE", "/v/k?versionId=" + second);
  CHECK(gone.status == 204);
  CHECK(gone.header_value("x-amz-delete-marker").empty());
  CHECK(send("GET", "/v/k").body == "1");
  CHECK(code_of(send("GET", "/v/k?versionId=" + second)) == "NoSuchVersion");
  CHECK(code_of(send("GET", "/v/k?versionId=nonsense")) == "InvalidArgument");
  CHECK(send("DELETE", "/v/k?versionId=" + second).status == 204);
}

TEST_CASE_FIXTURE(s3_fixture,
                  "deleting what was never there leaves a marker in a versioned bucket, nothing in another") {
  CHECK(send("DELETE", "/v/none").header_value("x-amz-delete-marker") == "true");
  CHECK(s3.versions("v", "none").at(0).delete_marker());
  const response plain = send("DELETE", "/u/none");
  CHECK(plain.status == 204);
  CHECK(plain.header_value("x-amz-delete-marker").empty());
  CHECK(s3.versions("u", "none").empty());
}

TEST_CASE_FIXTURE(s3_fixture, "DeleteObject obeys If-Match") {
  CHECK(send("DELETE", "/v/k", "", {{"If-Match", "*"}}).status == 404);
  put("/v/k", "hello");
  CHECK(send("DELETE", "/v/k", "", {{"If-Match", "\"other\""}}).status == 412);
  CHECK(send("DELETE", "/v/k", "", {{"If-Match", hello_tag}}).status == 204);
  CHECK(send("DELETE", "/v/k", "", {{"If-Match", "*"}}).status == 412);
}

TEST_CASE_FIXTURE(s3_fixture, "outside versioning there is one version, called null") {
  CHECK(put("/u/k", "1").empty());
  put("/u/k", "2");
  CHECK(s3.versions("u", "k").size() == 1);
  CHECK(s3.versions("u", "k").at(0).id == "null");
  CHECK(send("GET", "/u/k").body == "2");
  CHECK(send("GET", "/u/k").header_value("x-amz-version-id").empty());

  const std::string kept = put("/v/k", "1");
  suspend_versioning("v");
  CHECK(put("/v/k", "2") == "null");
  CHECK(put("/v/k", "3") == "null");
  CHECK(send("DELETE", "/v/k").header_value("x-amz-version-id") == "null");
  const auto versions = s3.versions("v", "k");
  REQUIRE(versions.size() == 2);
  CHECK(versions.at(0).delete_marker());
  CHECK(versions.at(1).id == kept);
}

TEST_CASE("removal and markers can be denied") {
  s3_fixture locked({.removal_allowed = false});
  const std::string id = locked.put("/v/k");
  const response denied = locked.send("DELETE", "/v/k?versionId=" + id);
  CHECK(denied.status == 403);
  CHECK(code_of(denied) == "AccessDenied");
  CHECK(locked.send("DELETE", "/v/k").status == 204);
  s3_fixture bare({.markers_allowed = false});
  CHECK(bare.send("DELETE", "/v/k").status == 403);
}

TEST_CASE_FIXTURE(s3_fixture, "limits of keys and metadata") {
  CHECK(send("PUT", "/v/" + std::string(1024, 'k'), "x").status == 200);
  CHECK(code_of(send("PUT", "/v/" + std::string(1025, 'k'), "x")) == "KeyTooLongError");
  CHECK(code_of(send("PUT", "/v/k", "x", {{"x-amz-meta-a", std::string(2048, 'a')}})) == "MetadataTooLarge");
}

TEST_CASE_FIXTURE(s3_fixture, "what does not exist or is not spoken is refused as S3 refuses it") {
  CHECK(code_of(send("PUT", "/none/k", "x")) == "NoSuchBucket");
  CHECK(code_of(send("GET", "/v/none")) == "NoSuchKey");
  CHECK(send("HEAD", "/none/k").status == 404);
  CHECK(send("PUT", "/v/k", "", {{"x-amz-copy-source", "/v/a"}}).status == 501);
  CHECK(send("PATCH", "/v/k").status == 405);
  CHECK(code_of(send("GET", "nonsense")) == "InvalidURI");
  CHECK(code_of(send("GET", "/none/%3C%26%01")) == "NoSuchBucket");
}

TEST_CASE_FIXTURE(s3_fixture, "a test may put, remove and look without HTTP") {
  s3.put("v", "p/a", "1", {{"source", "stream"}});
  s3.put("v", "p/b", "2", {});
  s3.put("v", "q", "3", {});
  CHECK_FALSE(s3.remove("v", "p/b").empty());
  const auto current = s3.current("v", "p/");
  REQUIRE(current.size() == 1);
  CHECK(*current.at("p/a").body == "1");
  CHECK(current.at("p/a").meta.at("source") == "stream");
  CHECK(s3.remove("u", "none").empty());
}

}  // namespace
}  // namespace dynabackup::fakes
