// The multipart half of s3::client.
#include <doctest/doctest.h>

#include "s3/client.hpp"
#include "unit/s3/exchange.hpp"

namespace dynabackup::s3 {
namespace {

using fakes::run_task;

// MD5 of "a" and of "b"; the object's ETag is the MD5 of both digests' bytes.
const std::string first_md5 = "0cc175b9c0f1b6a831c399e269772661";
const std::string second_md5 = "92eb5ffee6ae2fec3ad71c777531578f";
const std::string object_etag = "96e024ba2074fe77e8e965ba43a704be-2";
const std::vector<part> two_parts{{2, second_md5}, {1, first_md5}};

const std::string completion =
    "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
    "<Part><PartNumber>1</PartNumber><ETag>\"0cc175b9c0f1b6a831c399e269772661\"</ETag></Part>"
    "<Part><PartNumber>2</PartNumber><ETag>\"92eb5ffee6ae2fec3ad71c777531578f\"</ETag></Part>"
    "</CompleteMultipartUpload>";

const std::string completed =
    "  \n <?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CompleteMultipartUploadResult "
    "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Location>x</Location><Bucket>bucket</Bucket><Key>k</Key>"
    "<ETag>&quot;e-2&quot;</ETag></CompleteMultipartUploadResult>";

put_result complete(client& objects, bool if_none_match = false) {
  return run_task(objects.complete_multipart_upload("bucket", "k", "u/1", two_parts, if_none_match));
}

std::vector<header> head_with(const std::string& etag) {
  return {{"ETag", '"' + etag + '"'},
          {"Last-Modified", "Sun, 22 Nov 2026 11:45:03 GMT"},
          {"Content-Length", "2"},
          {"x-amz-version-id", "v9"}};
}

TEST_CASE("an upload starts with what the object will carry") {
  fakes::scripted_transport network;
  client_settings settings = local_settings();
  settings.sse = "AES256";
  client objects(network, settings);
  network.expect(
      is_request(
          "POST", "/bucket/k?uploads=",
          {{"Content-Type", "application/gzip"}, {"x-amz-server-side-encryption", "AES256"}, {"x-amz-meta-run", "r"}}),
      200,
      "<?xml version=\"1.0\"?><InitiateMultipartUploadResult><Bucket>bucket</Bucket><Key>k</Key>"
      "<UploadId>2~abc/+=</UploadId></InitiateMultipartUploadResult>");
  CHECK(run_task(objects.create_multipart_upload("bucket", "k",
                                                 {.meta = {{"run", "r"}}, .content_type = "application/gzip"}))
            .id == "2~abc/+=");
}

TEST_CASE_FIXTURE(fixture, "an upload without an id, or an error behind a 200, is no start") {
  for (const std::string& body : {std::string(), error_body("InternalError"),
                                  std::string("<InitiateMultipartUploadResult></InitiateMultipartUploadResult>")}) {
    network.expect(nullptr, 200, body);
    CHECK(failure_of([&] { run_task(objects.create_multipart_upload("bucket", "k", {})); }).operation ==
          "CreateMultipartUpload");
  }
}

TEST_CASE_FIXTURE(fixture, "a part goes with its number and its digest") {
  network.expect(is_request("PUT", "/bucket/k?partNumber=7&uploadId=u%2F1",
                            {{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}, "hello"),
                 200, "", {{"ETag", "\"e7\""}});
  const part sent = run_task(objects.upload_part("bucket", "k", "u/1", 7, "hello"));
  CHECK(sent.number == 7);
  CHECK(sent.etag == "e7");
  network.expect(nullptr, 200, "");
  CHECK_THROWS_AS(run_task(objects.upload_part("bucket", "k", "u/1", 7, "hello")), format_error);
  network.expect(nullptr, 404, error_body("NoSuchUpload"));
  CHECK(failure_of([&] { run_task(objects.upload_part("bucket", "k", "u/1", 7, "hello")); }).code == "NoSuchUpload");
}

TEST_CASE_FIXTURE(fixture, "a large part has time in proportion") {
  network.expect([](const request& r) { CHECK(r.attempt_timeout == std::chrono::seconds(60 + 32)); }, 200, "",
                 {{"ETag", "\"e\""}});
  run_task(objects.upload_part("bucket", "k", "u", 1, std::string(std::size_t{8} << 20, 'x')));
}

TEST_CASE_FIXTURE(fixture, "completion lists the parts in their order") {
  network.expect(is_request("POST", "/bucket/k?uploadId=u%2F1", {{"Content-Type", "application/xml"}}, completion), 200,
                 completed, {{"x-amz-version-id", "v1"}});
  const put_result result = complete(objects);
  CHECK(result.stored);
  CHECK(result.etag == "e-2");
  CHECK(result.version_id == "v1");
}

TEST_CASE_FIXTURE(fixture, "a conditional completion that meets an object is an outcome") {
  network.expect(is_request("POST", "/bucket/k?uploadId=u%2F1",
                            {{"Content-Type", "application/xml"}, {"If-None-Match", "*"}}, completion),
                 412, error_body("PreconditionFailed"));
  CHECK_FALSE(complete(objects, true).stored);
  network.expect(nullptr, 412, error_body("PreconditionFailed"));
  CHECK_THROWS_AS(complete(objects, false), service_error);
}

TEST_CASE_FIXTURE(fixture, "an error behind a 200, or half an answer, is asked again") {
  network.expect(nullptr, 200, error_body("InternalError"));
  network.expect(nullptr, 200, completed.substr(0, completed.size() - 5));
  network.expect(nullptr, 200, "");
  network.expect(is_request("POST", "/bucket/k?uploadId=u%2F1", {{"Content-Type", "application/xml"}}, completion), 200,
                 completed);
  CHECK(complete(objects).stored);
}

TEST_CASE_FIXTURE(fixture, "an error behind a 200 that stays is a failure") {
  for (int i = 0; i < 4; ++i) network.expect(nullptr, 200, error_body("InternalError"));
  const service_failure failure = failure_of([&] { complete(objects); });
  CHECK(failure.code == "InternalError");
  CHECK(failure.status == 200);
  CHECK(failure.resource == "bucket/k");
  for (int i = 0; i < 4; ++i) network.expect(nullptr, 200, "<html/>");
  CHECK(failure_of([&] { complete(objects); }).message == "the answer is not what S3 sends");
}

TEST_CASE_FIXTURE(fixture, "an upload that is gone was completed if the object has its ETag") {
  network.expect(nullptr, 200, error_body("InternalError"));
  network.expect(nullptr, 404, error_body("NoSuchUpload"));
  network.expect(is_request("HEAD", "/bucket/k", {}), 200, "", head_with(object_etag));
  const put_result result = complete(objects);
  CHECK(result.stored);
  CHECK(result.etag == object_etag);
  CHECK(result.version_id == "v9");
}

TEST_CASE_FIXTURE(fixture, "an upload that is gone and left no such object is a failure") {
  network.expect(nullptr, 404, error_body("NoSuchUpload"));
  network.expect(nullptr, 404, "");
  CHECK(failure_of([&] { complete(objects); }).code == "NoSuchUpload");
}

TEST_CASE_FIXTURE(fixture, "an ETag that is not the parts' proves nothing: the caller compares, as after a 412") {
  for (const std::string& etag : {std::string("opaque"), std::string(32, 'g'), std::string()}) {
    network.expect(nullptr, 404, error_body("NoSuchUpload"));
    network.expect(nullptr, 200, "", head_with("opaque-1"));
    const put_result result = run_task(objects.complete_multipart_upload("bucket", "k", "u", {{1, etag}}, false));
    CHECK_FALSE(result.stored);
  }
}

TEST_CASE_FIXTURE(fixture,
                  "a completion that another writer got in the way of is told with what to do, and not repeated") {
  for (const int status : {409, 200}) {
    network.expect(nullptr, status, error_body("ConditionalRequestConflict"));
    std::string message;
    try {
      run_task(objects.complete_multipart_upload("bucket", "k", "u", {{1, "e"}}, true));
    } catch (const service_error& e) {
      message = e.what();
    }
    CHECK(message.find("CompleteMultipartUpload on bucket/k: ConditionalRequestConflict") == 0);
    CHECK(message.find("Somebody else wrote this name at the same moment: run it again") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(fixture, "other refusals of a completion are failures at once") {
  for (const std::string_view code : {"NoSuchBucket", "NoSuchKey"}) {
    network.expect(nullptr, 404, error_body(code));
    CHECK(failure_of([&] { complete(objects); }).code == code);
  }
  network.expect(nullptr, 409, error_body("ConditionalRequestConflict"));
  CHECK(failure_of([&] { complete(objects, true); }).code == "ConditionalRequestConflict");
}

TEST_CASE_FIXTURE(fixture, "a part's ETag cannot break out of the XML") {
  network.expect(
      [](const request& r) { CHECK(r.body.find("<ETag>\"&lt;/ETag&gt;&amp;\"</ETag>") != std::string::npos); }, 200,
      completed);
  run_task(objects.complete_multipart_upload("bucket", "k", "u", {{1, "</ETag>&"}}, false));
}

TEST_CASE_FIXTURE(fixture, "an abort is repeated until no part is left") {
  const std::string parts = "<ListPartsResult><Part><PartNumber>1</PartNumber></Part></ListPartsResult>";
  network.expect(is_request("DELETE", "/bucket/k?uploadId=u%2F1", {}), 204, "");
  network.expect(is_request("GET", "/bucket/k?uploadId=u%2F1&max-parts=1", {}), 200, parts);
  network.expect(is_request("DELETE", "/bucket/k?uploadId=u%2F1", {}), 404, error_body("NoSuchUpload"));
  network.expect(nullptr, 404, error_body("NoSuchUpload"));
  run_task(objects.abort_multipart_upload("bucket", "k", "u/1"));
  CHECK(network.requests == 4);
}

TEST_CASE_FIXTURE(fixture, "who may not list parts has aborted all the same") {
  network.expect(nullptr, 204, "");
  network.expect(nullptr, 403, error_body("AccessDenied"));
  run_task(objects.abort_multipart_upload("bucket", "k", "u"));
  CHECK(network.requests == 2);
}

TEST_CASE_FIXTURE(fixture, "an upload that cannot be aborted is told of") {
  network.expect(nullptr, 403, error_body("AccessDenied"));
  CHECK(failure_of([&] { run_task(objects.abort_multipart_upload("bucket", "k", "u")); }).operation ==
        "AbortMultipartUpload");
  for (int i = 0; i < 8; ++i) {
    network.expect(nullptr, 204, "");
    network.expect(nullptr, 200, "<ListPartsResult/>");
  }
  CHECK_THROWS_AS(run_task(objects.abort_multipart_upload("bucket", "k", "u")), error);
}

}  // namespace
}  // namespace dynabackup::s3
