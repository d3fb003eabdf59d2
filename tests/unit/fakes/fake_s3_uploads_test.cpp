#include <doctest/doctest.h>

#include "crypto/sha256.hpp"
#include "unit/fakes/s3_fixture.hpp"

namespace dynabackup::fakes {
namespace {

struct upload_fixture : s3_fixture {
  upload_fixture() : s3_fixture({.smallest_part = 4}) {}

  std::string begin(const std::string& target, std::vector<header> headers = {}) {
    return xml_answer(send("POST", target + "?uploads", "", std::move(headers))).text("UploadId");
  }
  std::string part(const std::string& target, const std::string& id, int number, const std::string& body) {
    const response answer = send("PUT", target + "?partNumber=" + std::to_string(number) + "&uploadId=" + id, body);
    REQUIRE(answer.status == 200);
    return std::string(answer.header_value("ETag"));
  }
  static std::string parts(const std::vector<std::pair<int, std::string>>& list) {
    std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (const auto& [number, etag] : list) {
      xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag + "</ETag></Part>";
    }
    return xml + "</CompleteMultipartUpload>";
  }
  response complete(const std::string& target, const std::string& id,
                    const std::vector<std::pair<int, std::string>>& list, std::vector<header> headers = {}) {
    return send("POST", target + "?uploadId=" + id, parts(list), std::move(headers));
  }
};

TEST_CASE_FIXTURE(upload_fixture, "parts become one object with a multipart ETag, as old as the upload") {
  const std::string id = begin("/v/k", {{"Content-Type", "application/gzip"}, {"x-amz-meta-run", "r1"}});
  const wall_time begun = now;
  now += std::chrono::minutes(5);
  const std::string first = part("/v/k", id, 1, "aaaa");
  const std::string third = part("/v/k", id, 3, "cc");
  part("/v/k", id, 2, "left out");
  CHECK(s3.versions("v", "k").empty());
  CHECK(s3.open_uploads("v") == 1);

  const response done = complete("/v/k", id, {{1, first}, {3, third}});
  CHECK(done.status == 200);
  CHECK(s3.open_uploads("v") == 0);
  const auto versions = s3.versions("v", "k");
  REQUIRE(versions.size() == 1);
  CHECK(*versions[0].body == "aaaacc");
  CHECK(versions[0].etag == "454b327c08aef10a741319a87a07416d-2");
  CHECK(versions[0].meta.at("run") == "r1");
  CHECK(versions[0].content_type == "application/gzip");
  CHECK(versions[0].last_modified == begun);
  CHECK(xml_answer(done).text("ETag") == '"' + versions[0].etag + '"');
  CHECK(done.header_value("x-amz-version-id") == versions[0].id);
  CHECK(code_of(complete("/v/k", id, {{1, first}, {3, third}})) == "NoSuchUpload");
}

TEST_CASE_FIXTURE(upload_fixture, "a part sent again takes the first one's place") {
  const std::string id = begin("/v/k");
  const std::string old = part("/v/k", id, 1, "old!");
  const std::string fresh = part("/v/k", id, 1, "new!");
  CHECK(code_of(complete("/v/k", id, {{1, old}})) == "InvalidPart");
  CHECK(complete("/v/k", id, {{1, fresh}}).status == 200);
  CHECK(*s3.versions("v", "k").at(0).body == "new!");
}

TEST_CASE_FIXTURE(upload_fixture, "a completion that does not fit is refused and leaves the upload as it is") {
  const std::string id = begin("/v/k");
  const std::string one = part("/v/k", id, 1, "aaaa");
  const std::string two = part("/v/k", id, 2, "bb");
  const std::string three = part("/v/k", id, 3, "cc");
  CHECK(code_of(complete("/v/k", id, {{2, two}, {1, one}})) == "InvalidPartOrder");
  CHECK(code_of(complete("/v/k", id, {{1, one}, {1, one}})) == "InvalidPartOrder");
  CHECK(code_of(complete("/v/k", id, {{1, one}, {4, two}})) == "InvalidPart");
  CHECK(code_of(complete("/v/k", id, {{1, two}})) == "InvalidPart");
  CHECK(code_of(complete("/v/k", id, {{1, one}, {2, two}, {3, three}})) == "EntityTooSmall");
  CHECK(code_of(complete("/v/k", id, {})) == "MalformedXML");
  CHECK(code_of(send("POST", "/v/k?uploadId=" + id, "<CompleteMulti")) == "MalformedXML");
  CHECK(code_of(complete("/v/other", id, {{1, one}})) == "NoSuchUpload");
  CHECK(s3.open_uploads("v") == 1);
  CHECK(complete("/v/k", id, {{1, one}, {2, two}}).status == 200);
}

TEST_CASE_FIXTURE(upload_fixture, "conditions count when the upload is completed, not before") {
  const std::string id = begin("/v/k");
  const std::string one = part("/v/k", id, 1, "aaaa");
  put("/v/k", "raced");
  const response late = complete("/v/k", id, {{1, one}}, {{"If-None-Match", "*"}});
  CHECK(late.status == 412);
  CHECK(send("GET", "/v/k").body == "raced");
  send("DELETE", "/v/k");
  CHECK(complete("/v/k", id, {{1, one}}, {{"If-None-Match", "*"}}).status == 200);
}

TEST_CASE_FIXTURE(upload_fixture, "parts are checked and numbered from 1 to 10,000") {
  const std::string id = begin("/v/k");
  const std::string base = "/v/k?uploadId=" + id + "&partNumber=";
  for (const char* number : {"0", "10001", "-1", "x"}) {
    CAPTURE(number);
    CHECK(code_of(send("PUT", base + number, "x")) == "InvalidArgument");
  }
  CHECK(send("PUT", base + "10000", "x").status == 200);
  CHECK(code_of(send("PUT", base + "1", "x", {{"Content-MD5", crypto::md5_base64("y")}})) == "BadDigest");
  CHECK(code_of(send("PUT", "/v/k?uploadId=none&partNumber=1", "x")) == "NoSuchUpload");
}

TEST_CASE_FIXTURE(upload_fixture, "an aborted upload is gone with its parts") {
  const std::string id = begin("/v/k");
  part("/v/k", id, 1, "aaaa");
  CHECK(send("DELETE", "/v/k?uploadId=" + id).status == 204);
  CHECK(send("DELETE", "/v/k?uploadId=" + id).status == 404);
  CHECK(code_of(send("GET", "/v/k?uploadId=" + id)) == "NoSuchUpload");
  CHECK(s3.open_uploads("v") == 0);
}

TEST_CASE_FIXTURE(upload_fixture, "parts are listed by number, page after page") {
  const std::string id = begin("/v/k");
  for (const int number : {3, 1, 2}) part("/v/k", id, number, "aaaa");
  const xml_answer first(send("GET", "/v/k?max-parts=2&uploadId=" + id));
  CHECK(first.each("Part", "PartNumber") == texts{"1", "2"});
  CHECK(first.text("IsTruncated") == "true");
  CHECK(first.text("NextPartNumberMarker") == "2");
  const xml_answer second(send("GET", "/v/k?part-number-marker=2&uploadId=" + id));
  CHECK(second.each("Part", "PartNumber") == texts{"3"});
  CHECK(second.text("IsTruncated") == "false");
}

TEST_CASE_FIXTURE(upload_fixture, "uploads under way are listed by key and age, page after page") {
  const std::string b = begin("/v/p/b");
  now += std::chrono::seconds(1);
  const std::string a1 = begin("/v/p/a");
  now += std::chrono::seconds(1);
  const std::string a2 = begin("/v/p/a");
  begin("/v/q");
  CHECK(xml_answer(send("GET", "/v?uploads&prefix=p/")).each("Upload", "UploadId") == texts{a1, a2, b});
  const xml_answer first(send("GET", "/v?uploads&prefix=p/&max-uploads=1"));
  CHECK(first.each("Upload", "Initiated") == texts{"2026-11-22T11:45:04.000Z"});
  CHECK(first.text("IsTruncated") == "true");
  CHECK(xml_answer(
            send("GET", "/v?uploads&prefix=p/&key-marker=p/a&upload-id-marker=" + first.text("NextUploadIdMarker")))
            .each("Upload", "UploadId") == texts{a2, b});
  CHECK(xml_answer(send("GET", "/v?uploads&prefix=p/&key-marker=p/a")).each("Upload", "UploadId") == texts{b});
}

}  // namespace
}  // namespace dynabackup::fakes
