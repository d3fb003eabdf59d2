#include "s3/client.hpp"

#include <doctest/doctest.h>

#include "unit/s3/exchange.hpp"

namespace dynabackup::s3 {
namespace {

using fakes::run_task;

const std::string hello_md5 = "XUFAKrxLKna5cZ2REBfFkg==";  // base64 of MD5("hello")
const std::vector<header> stored{{"ETag", "\"e1\""},
                                 {"x-amz-version-id", "v1"},
                                 {"Last-Modified", "Sun, 22 Nov 2026 11:45:03 GMT"},
                                 {"Content-Length", "5"},
                                 {"X-Amz-Meta-Source", "stream"},
                                 {"x-amz-meta-md5", "abc"},
                                 {"Date", "Sun, 22 Nov 2026 11:45:04 GMT"}};

time_point at(std::int64_t milliseconds) { return time_point(std::chrono::milliseconds(milliseconds)); }

TEST_CASE_FIXTURE(fixture, "put_object sends body, digest, type and metadata") {
  network.expect(is_request("PUT", "/bucket/p/k%20y",
                            {{"Content-MD5", hello_md5},
                             {"Content-Type", "application/json"},
                             {"x-amz-meta-md5", "abc"},
                             {"x-amz-meta-source", "backfill"}},
                            "hello"),
                 200, "", stored);
  const put_result result =
      run_task(objects.put_object("bucket", "p/k y", "hello", {.meta = {{"source", "backfill"}, {"md5", "abc"}}}));
  CHECK(result.stored);
  CHECK(result.etag == "e1");
  CHECK(result.version_id == "v1");
}

TEST_CASE("put_object asks for encryption where the settings do") {
  fakes::scripted_transport network;
  client_settings settings = local_settings();
  settings.sse = "aws:kms";
  settings.kms_key_id = "key-1";
  client objects(network, settings);
  network.expect(is_request("PUT", "/bucket/k",
                            {{"Content-MD5", hello_md5},
                             {"Content-Type", "text/plain"},
                             {"x-amz-server-side-encryption", "aws:kms"},
                             {"x-amz-server-side-encryption-aws-kms-key-id", "key-1"},
                             {"If-None-Match", "*"}},
                            "hello"),
                 200, "", stored);
  CHECK(run_task(objects.put_object("bucket", "k", "hello", {.content_type = "text/plain", .if_none_match = true}))
            .stored);
}

TEST_CASE_FIXTURE(fixture, "a delete marker is left over whatever is there, or only over an ETag") {
  const std::vector<header> marker{{"x-amz-version-id", "m1"}, {"x-amz-delete-marker", "true"}};
  network.expect(is_request("DELETE", "/bucket/k", {}), 204, "", marker);
  const marker_result any = run_task(objects.leave_marker("bucket", "k"));
  CHECK(any.left);
  CHECK(any.version_id == "m1");
  CHECK_FALSE(any.unsettled);
  network.expect(is_request("DELETE", "/bucket/k", {{"If-Match", "\"e1\""}}), 204, "", marker);
  CHECK(run_task(objects.leave_marker("bucket", "k", "e1")).left);
  network.expect(nullptr, 412, error_body("PreconditionFailed"));
  CHECK_FALSE(run_task(objects.leave_marker("bucket", "k", "e1")).left);
  network.expect(nullptr, 404, error_body("NoSuchKey"));
  CHECK_FALSE(run_task(objects.leave_marker("bucket", "k", "e1")).left);
  network.expect(nullptr, 404, error_body("NoSuchBucket"));
  CHECK(failure_of([&] { run_task(objects.leave_marker("bucket", "k", "e1")); }).code == "NoSuchBucket");
}

TEST_CASE_FIXTURE(fixture, "412 to a conditional put is an outcome, to any other a refusal") {
  network.expect(nullptr, 412, error_body("PreconditionFailed"));
  CHECK_FALSE(run_task(objects.put_object("bucket", "k", "", {.if_none_match = true})).stored);
  network.expect(nullptr, 412, error_body("PreconditionFailed"));
  const service_failure failure = failure_of([&] { run_task(objects.put_object("bucket", "k", "", {})); });
  CHECK(failure.operation == "PutObject");
  CHECK(failure.resource == "bucket/k");
  CHECK(failure.code == "PreconditionFailed");
  CHECK(failure.request_id == "R1");
}

TEST_CASE_FIXTURE(fixture, "a put without an ETag in its answer is no success") {
  network.expect(nullptr, 200, "");
  CHECK_THROWS_AS(run_task(objects.put_object("bucket", "k", "", {})), format_error);
}

TEST_CASE_FIXTURE(fixture, "metadata that S3 would alter, or that would end the header, is not sent") {
  for (const std::string& value : {std::string("a\r\nx-evil: 1"), std::string("\xC3\xA4"), std::string(1, '\0')}) {
    CHECK_THROWS_AS(run_task(objects.put_object("bucket", "k", "", {.meta = {{"m", value}}})), format_error);
    CHECK_THROWS_AS(run_task(objects.put_object("bucket", "k", "", {.meta = {{value, "m"}}})), format_error);
  }
  CHECK(network.requests == 0);
}

TEST_CASE_FIXTURE(fixture, "get_object brings the bytes and what is known of them") {
  byte_budget budget(1 << 20);
  network.expect(
      [&](const request& r) {
        is_request("GET", "/bucket/k", {})(r);
        CHECK(r.budget == &budget);
      },
      200, "hello", stored);
  const auto object = run_task(objects.get_object("bucket", "k", {.budget = &budget}));
  REQUIRE(object);
  CHECK(object->answer.body == "hello");
  CHECK(object->head.etag == "e1");
  CHECK(object->head.size == 5);
  CHECK(object->head.version_id == "v1");
  CHECK(object->head.last_modified == at(1795347903000));
  CHECK(object->head.meta == metadata{{"md5", "abc"}, {"source", "stream"}});
}

TEST_CASE_FIXTURE(fixture, "get_object asks for a range of a certain version of a certain content") {
  std::vector<header> headers = stored;
  headers.push_back({"Content-Range", "bytes 10-14/1000"});
  network.expect(is_request("GET", "/bucket/k?versionId=v%2F1", {{"Range", "bytes=10-14"}, {"If-Match", "\"e1\""}}),
                 206, "hello", headers);
  const auto object =
      run_task(objects.get_object("bucket", "k", {.range = byte_range{10, 14}, .if_match = "e1", .version_id = "v/1"}));
  REQUIRE(object);
  CHECK(object->head.size == 1000);
  CHECK(object->answer.body == "hello");
}

TEST_CASE_FIXTURE(fixture, "a range past the end is cut by S3") {
  std::vector<header> headers = stored;
  headers.push_back({"Content-Range", "bytes 995-999/1000"});
  network.expect(nullptr, 206, "hello", headers);
  CHECK(run_task(objects.get_object("bucket", "k", {.range = byte_range{995, 2000}}))->head.size == 1000);
}

TEST_CASE_FIXTURE(fixture, "another range than was asked for is refused") {
  for (const std::string range :
       {"", "bytes", "bytes 10-14", "bytes 10-14/*", "bytes 9-13/1000", "bytes 10-13/1000", "bytes 10-14/14",
        "bytes 14-10/1000", "bytes 10-14/0", "bytes 10-/1000", "bytes 10/14-1000", "items 10-14/1000",
        "bytes 10-14/1000x", "bytes 10-14/99999999999999999999"}) {
    CAPTURE(range);
    std::vector<header> headers = stored;
    headers.push_back({"Content-Range", range});
    network.expect(nullptr, 206, "hello", headers);
    CHECK_THROWS_AS(run_task(objects.get_object("bucket", "k", {.range = byte_range{10, 14}})), format_error);
  }
  std::vector<header> headers = stored;
  headers.push_back({"Content-Range", "bytes 10-14/1000"});
  network.expect(nullptr, 206, "hell", headers);
  CHECK_THROWS_AS(run_task(objects.get_object("bucket", "k", {.range = byte_range{10, 14}})), format_error);
  network.expect(nullptr, 200, "hello", headers);
  CHECK_THROWS_AS(run_task(objects.get_object("bucket", "k", {.range = byte_range{10, 14}})), format_error);
}

TEST_CASE_FIXTURE(fixture, "an absent object is an outcome") {
  network.expect(nullptr, 404, error_body("NoSuchKey"));
  CHECK_FALSE(run_task(objects.get_object("bucket", "k", {})));
  network.expect(nullptr, 404, "", {{"x-amz-delete-marker", "true"}});
  CHECK_FALSE(run_task(objects.get_object("bucket", "k", {})));
  network.expect(nullptr, 404, error_body("NoSuchVersion"));
  CHECK_FALSE(run_task(objects.get_object("bucket", "k", {.version_id = "v"})));
  network.expect(nullptr, 405, error_body("MethodNotAllowed"));
  CHECK_FALSE(run_task(objects.get_object("bucket", "k", {.version_id = "marker"})));
}

TEST_CASE_FIXTURE(fixture, "any other refusal of a get is never taken for absence") {
  struct row {
    int status;
    std::string body;
  };
  for (const row& r :
       {row{404, error_body("NoSuchBucket")}, row{404, "<html>no such page</html>"}, row{404, ""},
        row{403, error_body("AccessDenied")}, row{405, error_body("MethodNotAllowed")},
        row{412, error_body("PreconditionFailed")}, row{416, error_body("InvalidRange")}, row{304, ""}}) {
    CAPTURE(r.body);
    network.expect(nullptr, r.status, r.body);
    CHECK(failure_of([&] { run_task(objects.get_object("bucket", "k", {.if_match = "e"})); }).status == r.status);
  }
}

TEST_CASE_FIXTURE(fixture, "an object without ETag or date is refused") {
  network.expect(nullptr, 200, "x", {{"Last-Modified", "Sun, 22 Nov 2026 11:45:03 GMT"}});
  CHECK_THROWS_AS(run_task(objects.get_object("bucket", "k", {})), format_error);
  network.expect(nullptr, 200, "x", {{"ETag", "\"e\""}, {"Last-Modified", "yesterday"}});
  CHECK_THROWS_AS(run_task(objects.get_object("bucket", "k", {})), format_error);
}

TEST_CASE_FIXTURE(fixture, "head_object tells what is there") {
  network.expect(is_request("HEAD", "/bucket/k", {}), 200, "", stored);
  const auto head = run_task(objects.head_object("bucket", "k"));
  REQUIRE(head);
  CHECK(head->etag == "e1");
  CHECK(head->size == 5);
  CHECK(head->meta == metadata{{"md5", "abc"}, {"source", "stream"}});
  network.expect(is_request("HEAD", "/bucket/k?versionId=v1", {}), 404, "");
  CHECK_FALSE(run_task(objects.head_object("bucket", "k", "v1")));
  network.expect(nullptr, 405, "");
  CHECK_FALSE(run_task(objects.head_object("bucket", "k", "marker")));
  network.expect(nullptr, 403, "");
  CHECK(failure_of([&] { run_task(objects.head_object("bucket", "k")); }).operation == "HeadObject");
  network.expect(nullptr, 405, "");
  CHECK_THROWS_AS(run_task(objects.head_object("bucket", "k")), service_error);
  network.expect(nullptr, 200, "", {{"ETag", "\"e\""}, {"Last-Modified", "Sun, 22 Nov 2026 11:45:03 GMT"}});
  CHECK_THROWS_AS(run_task(objects.head_object("bucket", "k")), format_error);
}

TEST_CASE_FIXTURE(fixture, "delete_object tells of the marker it left") {
  const std::vector<header> marker{{"x-amz-version-id", "m1"}, {"x-amz-delete-marker", "true"}};
  network.expect(is_request("DELETE", "/bucket/k", {}), 204, "", marker);
  CHECK(run_task(objects.delete_object("bucket", "k")) == "m1");
  network.expect(is_request("DELETE", "/bucket/k?versionId=m1", {}), 204, "", marker);
  CHECK(run_task(objects.delete_object("bucket", "k", "m1")).empty());
  network.expect(nullptr, 204, "");
  CHECK(run_task(objects.delete_object("bucket", "k")).empty());
  network.expect(nullptr, 404, error_body("NoSuchVersion"));
  CHECK(run_task(objects.delete_object("bucket", "k", "v")).empty());
  network.expect(nullptr, 404, error_body("NoSuchBucket"));
  CHECK(failure_of([&] { run_task(objects.delete_object("bucket", "k")); }).code == "NoSuchBucket");
}

TEST_CASE_FIXTURE(fixture, "list_objects_v2 asks for encoded keys, page by page") {
  const std::string page =
      "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t+/=</"
      "NextContinuationToken></ListBucketResult>";
  network.expect(is_request("GET", "/bucket?list-type=2&encoding-type=url&max-keys=1000", {}), 200, page);
  CHECK(run_task(objects.list_objects_v2("bucket", {})).next == "t+/=");
  network.expect(is_request("GET",
                            "/bucket?list-type=2&encoding-type=url&max-keys=5&prefix=a%2Fb%20&start-after=a%2Fb%20c"
                            "&continuation-token=t%2B%2F%3D",
                            {}),
                 200, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>");
  CHECK_FALSE(run_task(objects.list_objects_v2(
                           "bucket", {.prefix = "a/b ", .token = "t+/=", .start_after = "a/b c", .max_keys = 5}))
                  .next);
  network.expect(nullptr, 404, error_body("NoSuchBucket"));
  CHECK(failure_of([&] { run_task(objects.list_objects_v2("bucket", {})); }).resource == "bucket");
}

TEST_CASE_FIXTURE(fixture, "list_object_versions goes on behind a version") {
  const std::string page = "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>";
  network.expect(is_request("GET", "/bucket?versions=&encoding-type=url&max-keys=1000&prefix=p%2F", {}), 200, page);
  CHECK(run_task(objects.list_object_versions("bucket", "p/", std::nullopt, {})).versions.empty());
  network.expect(is_request("GET",
                            "/bucket?versions=&encoding-type=url&max-keys=7&prefix=p%2F&key-marker=p%2Fa%2B"
                            "&version-id-marker=v1",
                            {}),
                 200, page);
  run_task(objects.list_object_versions("bucket", "p/", "p/a+", "v1", 7));
}

TEST_CASE_FIXTURE(fixture, "get_bucket_versioning knows three states and guesses none") {
  const auto answer = [](std::string_view children) {
    return "<VersioningConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + std::string(children) +
           "</VersioningConfiguration>";
  };
  network.expect(is_request("GET", "/bucket?versioning=", {}), 200,
                 answer("<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>"));
  CHECK(run_task(objects.get_bucket_versioning("bucket")) == versioning::enabled);
  network.expect(nullptr, 200, answer("<Status>Suspended</Status>"));
  CHECK(run_task(objects.get_bucket_versioning("bucket")) == versioning::suspended);
  network.expect(nullptr, 200, answer(""));
  CHECK(run_task(objects.get_bucket_versioning("bucket")) == versioning::never_enabled);
  for (const std::string& body : {std::string(), answer("<Status>Other</Status>"), std::string("<Versioning/>")}) {
    network.expect(nullptr, 200, body);
    CHECK_THROWS_AS(run_task(objects.get_bucket_versioning("bucket")), format_error);
  }
  network.expect(nullptr, 404, error_body("NoSuchBucket"));
  CHECK_THROWS_AS(run_task(objects.get_bucket_versioning("bucket")), service_error);
}

TEST_CASE_FIXTURE(fixture, "get_bucket_lifecycle: no configuration is no rule, and so is a store that knows none") {
  network.expect(is_request("GET", "/bucket?lifecycle=", {}), 200,
                 "<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status></Rule></LifecycleConfiguration>");
  CHECK(run_task(objects.get_bucket_lifecycle("bucket")).size() == 1);
  network.expect(nullptr, 404, error_body("NoSuchLifecycleConfiguration"));
  CHECK(run_task(objects.get_bucket_lifecycle("bucket")).empty());
  network.expect(nullptr, 501, error_body("NotImplemented"));
  CHECK(run_task(objects.get_bucket_lifecycle("bucket")).empty());
  network.expect(nullptr, 403, error_body("AccessDenied"));
  CHECK_THROWS_WITH_AS(run_task(objects.get_bucket_lifecycle("bucket")),
                       doctest::Contains("s3:GetLifecycleConfiguration"), service_error);
  network.expect(nullptr, 404, error_body("NoSuchBucket"));
  CHECK_THROWS_AS(run_task(objects.get_bucket_lifecycle("bucket")), service_error);
  network.expect(nullptr, 200, "<VersioningConfiguration/>");
  CHECK_THROWS_AS(run_task(objects.get_bucket_lifecycle("bucket")), format_error);
}

TEST_CASE_FIXTURE(fixture, "the bucket's clock is the date of the latest answer") {
  CHECK(objects.service_time() == time_point{});
  network.expect(nullptr, 404, "", stored);
  run_task(objects.head_object("bucket", "k"));
  CHECK(objects.service_time() == at(1795347904000));
  network.expect(nullptr, 404, "");
  run_task(objects.head_object("bucket", "k"));
  CHECK(objects.service_time() == at(1795347904000));
}

TEST_CASE_FIXTURE(fixture, "buckets keep apart") {
  network.expect(is_request("HEAD", "/first/k", {}), 404, "");
  run_task(objects.head_object("first", "k"));
  network.expect(is_request("HEAD", "/second/k", {}), 404, "");
  run_task(objects.head_object("second", "k"));
}

}  // namespace
}  // namespace dynabackup::s3
