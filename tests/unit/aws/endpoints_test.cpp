#include "aws/endpoints.hpp"

#include <doctest/doctest.h>
#include <simdjson.h>
#include <string>
#include <vector>

#include "dynabackup/error.hpp"
#include "fakes/test_data.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using simdjson::dom::element;

namespace {

std::optional<std::string> text_in(element row, std::string_view key) {
  std::string_view text;
  if (row.at_key(key).get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

bool flag_in(element row, std::string_view key) {
  bool flag = false;
  return row.at_key(key).get(flag) == simdjson::SUCCESS && flag;
}

s3_endpoint_query query_of(element row) {
  s3_endpoint_query query;
  query.region = text_in(row, "region").value_or("");
  query.endpoint = text_in(row, "endpoint");
  query.fips = flag_in(row, "fips");
  query.dualstack = flag_in(row, "dualstack");
  query.account_id = text_in(row, "account_id");
  query.account_id_endpoint_mode = text_in(row, "account_id_endpoint_mode").value_or("disabled");
  query.bucket = text_in(row, "bucket").value_or("");
  query.force_path_style = flag_in(row, "force_path_style");
  return query;
}

endpoint resolve(const std::string& service, const s3_endpoint_query& query) {
  if (service == "dynamodb") return dynamodb_endpoint(query);
  if (service == "dynamodbstreams") return dynamodb_streams_endpoint(query);
  if (service == "sts") return sts_endpoint(query);
  REQUIRE_MESSAGE(service == "s3", "unknown service ", service);
  return s3_endpoint(query);
}

/// The table was reduced from tests of more than S3 itself: rows of S3 Object Lambda have lost what told them apart,
/// and contradict S3's own (the same question, another answer). S3 has dual stack in every region.
bool is_object_lambda(const std::string& service, element row) {
  if (service != "s3" || text_in(row, "bucket") || text_in(row, "endpoint")) return false;
  const bool named = text_in(row, "url").value_or("").find("s3-object-lambda") != std::string::npos;
  return named || (flag_in(row, "error") && flag_in(row, "dualstack") && !flag_in(row, "fips"));
}

endpoint s3(const std::string& region, const std::string& bucket, std::optional<std::string> custom = {},
            bool path_style = false) {
  s3_endpoint_query query;
  query.region = region;
  query.endpoint = std::move(custom);
  query.bucket = bucket;
  query.force_path_style = path_style;
  return s3_endpoint(query);
}

std::string text_of(const endpoint& e) { return e.base.where.text() + e.base.path; }

endpoint_query in_region(const std::string& region) {
  endpoint_query query;
  query.region = region;
  return query;
}

}  // namespace

TEST_CASE("every row of the endpoint table resolves or is refused as it says") {
  const auto table = fakes::public_data("endpoints.json");
  if (!table) return;
  simdjson::dom::parser parser;
  const element all = parser.load(table->string());
  std::size_t checked = 0;
  for (const element row : all["cases"].get_array()) {
    CAPTURE(simdjson::minify(row));
    const std::string service = text_in(row, "service").value();
    if (is_object_lambda(service, row)) {
      MESSAGE("SKIPPED, a row of S3 Object Lambda: ", simdjson::minify(row));
      continue;
    }
    ++checked;
    const s3_endpoint_query query = query_of(row);
    if (flag_in(row, "error")) {
      CHECK_THROWS_AS(resolve(service, query), usage_error);
      continue;
    }
    const http::url expected = http::parse_url(text_in(row, "url").value());
    endpoint got;
    REQUIRE_NOTHROW(got = resolve(service, query));
    CHECK(got.base.where.text() == expected.where.text());
    CHECK(got.base.path == expected.path);
    if (const auto region = text_in(row, "signing_region").value_or(query.region); !region.empty())
      CHECK(got.signing_region == region);
  }
  REQUIRE(checked > 0);
}

TEST_CASE("each service has its own name in each kind of region") {
  struct row {
    std::string region;
    bool fips, dualstack;
    std::string dynamodb, streams, sts, lambda;
  };
  const std::vector<row> rows = {
      {"eu-west-1", false, false, "dynamodb.eu-west-1.amazonaws.com", "streams.dynamodb.eu-west-1.amazonaws.com",
       "sts.eu-west-1.amazonaws.com", "lambda.eu-west-1.amazonaws.com"},
      {"us-east-1", true, false, "dynamodb-fips.us-east-1.amazonaws.com",
       "streams.dynamodb-fips.us-east-1.amazonaws.com", "sts-fips.us-east-1.amazonaws.com",
       "lambda-fips.us-east-1.amazonaws.com"},
      {"us-east-1", false, true, "dynamodb.us-east-1.api.aws", "streams-dynamodb.us-east-1.api.aws",
       "sts.us-east-1.api.aws", "lambda.us-east-1.api.aws"},
      {"us-east-1", true, true, "dynamodb-fips.us-east-1.api.aws", "streams-dynamodb-fips.us-east-1.api.aws",
       "sts-fips.us-east-1.api.aws", "lambda-fips.us-east-1.api.aws"},
      {"us-gov-west-1", true, false, "dynamodb.us-gov-west-1.amazonaws.com",
       "streams.dynamodb.us-gov-west-1.amazonaws.com", "sts.us-gov-west-1.amazonaws.com",
       "lambda-fips.us-gov-west-1.amazonaws.com"},
      {"us-gov-west-1", true, true, "dynamodb-fips.us-gov-west-1.api.aws",
       "streams-dynamodb-fips.us-gov-west-1.api.aws", "sts-fips.us-gov-west-1.api.aws",
       "lambda-fips.us-gov-west-1.api.aws"},
      {"cn-north-1", false, true, "dynamodb.cn-north-1.api.amazonwebservices.com.cn",
       "streams-dynamodb.cn-north-1.api.amazonwebservices.com.cn", "sts.cn-north-1.api.amazonwebservices.com.cn",
       "lambda.cn-north-1.api.amazonwebservices.com.cn"},
      {"us-isob-east-1", false, false, "dynamodb.us-isob-east-1.sc2s.sgov.gov",
       "streams.dynamodb.us-isob-east-1.sc2s.sgov.gov", "sts.us-isob-east-1.sc2s.sgov.gov",
       "lambda.us-isob-east-1.sc2s.sgov.gov"},
      {"eusc-de-east-1", false, false, "dynamodb.eusc-de-east-1.amazonaws.eu",
       "streams.dynamodb.eusc-de-east-1.amazonaws.eu", "sts.eusc-de-east-1.amazonaws.eu",
       "lambda.eusc-de-east-1.amazonaws.eu"},
  };
  for (const row& r : rows) {
    endpoint_query query = in_region(r.region);
    query.fips = r.fips;
    query.dualstack = r.dualstack;
    CHECK(dynamodb_endpoint(query).base.where == origin{true, r.dynamodb, 443});
    CHECK(dynamodb_streams_endpoint(query).base.where == origin{true, r.streams, 443});
    CHECK(sts_endpoint(query).base.where == origin{true, r.sts, 443});
    CHECK(lambda_endpoint(query).base.where == origin{true, r.lambda, 443});
    CHECK(dynamodb_endpoint(query).signing_region == r.region);
  }
}

TEST_CASE("a region that is not fit for a host name is refused, also beside a custom endpoint") {
  const std::vector<std::string> regions = {
      "a b", "x/evil", "x.evil.com", "x@evil", "x:1", "-a", "a-", "\xc3\xa9", "a\r\nb", "a#", std::string(64, 'a')};
  for (const std::string& region : regions) {
    CAPTURE(region);
    endpoint_query query = in_region(region);
    CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
    CHECK_THROWS_AS(dynamodb_streams_endpoint(query), usage_error);
    CHECK_THROWS_AS(sts_endpoint(query), usage_error);
    CHECK_THROWS_AS(lambda_endpoint(query), usage_error);
    CHECK_THROWS_AS(s3(region, "bucket"), usage_error);
    query.endpoint = "https://example.com";
    CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
    CHECK_THROWS_AS(s3(region, "bucket", "https://example.com"), usage_error);
  }
}

TEST_CASE("without a region only a custom endpoint will do, and S3 wants one even there") {
  CHECK_THROWS_AS(dynamodb_endpoint(in_region("")), usage_error);
  CHECK_THROWS_AS(sts_endpoint(in_region("")), usage_error);
  CHECK_THROWS_AS(s3("", "bucket"), usage_error);
  CHECK_THROWS_AS(s3("", "bucket", "https://example.com"), usage_error);
  endpoint_query query = in_region("");
  query.endpoint = "http://localhost:8000/base/";
  const endpoint e = dynamodb_endpoint(query);
  CHECK(text_of(e) == "http://localhost:8000/base");
  CHECK(e.signing_region == "us-east-1");
}

TEST_CASE("a custom endpoint excludes FIPS and dual stack") {
  endpoint_query query = in_region("us-east-1");
  query.endpoint = "https://example.com";
  query.fips = true;
  CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
  CHECK_THROWS_AS(sts_endpoint(query), usage_error);
  CHECK_THROWS_AS(lambda_endpoint(query), usage_error);
  query.fips = false;
  query.dualstack = true;
  CHECK_THROWS_AS(dynamodb_streams_endpoint(query), usage_error);
}

TEST_CASE("the region local is DynamoDB Local") {
  endpoint_query query = in_region("local");
  CHECK(text_of(dynamodb_endpoint(query)) == "http://localhost:8000");
  CHECK(text_of(dynamodb_streams_endpoint(query)) == "http://localhost:8000");
  CHECK(dynamodb_endpoint(query).signing_region == "us-east-1");
  query.fips = true;
  CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
}

TEST_CASE("account endpoints are used as their mode asks") {
  endpoint_query query = in_region("us-east-1");
  query.account_id = "111111111111";
  const std::string plain = "https://dynamodb.us-east-1.amazonaws.com:443";
  CHECK(text_of(dynamodb_endpoint(query)) == plain);
  for (const std::string mode : {"preferred", "required"}) {
    query.account_id_endpoint_mode = mode;
    CHECK(text_of(dynamodb_endpoint(query)) == "https://111111111111.ddb.us-east-1.amazonaws.com:443");
    CHECK(text_of(dynamodb_streams_endpoint(query)) == "https://streams.dynamodb.us-east-1.amazonaws.com:443");
    query.account_id = "1.evil.com/";
    CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
    query.account_id = "111111111111";
  }
  query.account_id_endpoint_mode = "preferred";
  query.account_id.reset();
  CHECK(text_of(dynamodb_endpoint(query)) == plain);
  query.account_id_endpoint_mode = "required";
  CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
  query.account_id = "111111111111";
  query.fips = true;
  CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
  query.account_id_endpoint_mode = "Preferred";
  CHECK_THROWS_AS(dynamodb_endpoint(query), usage_error);
}

TEST_CASE("a bucket stands before the host where its name and the host allow it, else in the path") {
  struct row {
    std::string bucket, endpoint, expected;
  };
  const std::vector<row> rows = {
      {"my-bucket", "", "https://my-bucket.s3.eu-west-1.amazonaws.com:443"},
      {"my.bucket", "", "https://s3.eu-west-1.amazonaws.com:443/my.bucket"},
      {"My-bucket", "", "https://s3.eu-west-1.amazonaws.com:443/My-bucket"},
      {"-bucket", "", "https://s3.eu-west-1.amazonaws.com:443/-bucket"},
      {"b@evil.com/?#", "", "https://s3.eu-west-1.amazonaws.com:443/b%40evil.com%2F%3F%23"},
      {"ab", "", "https://s3.eu-west-1.amazonaws.com:443/ab"},
      {"", "", "https://s3.eu-west-1.amazonaws.com:443"},
      {"my-bucket", "http://minio:9000", "http://my-bucket.minio:9000"},
      {"my-bucket", "http://127.0.0.1:9000", "http://127.0.0.1:9000/my-bucket"},
      {"my-bucket", "http://[::1]:9000/base", "http://[::1]:9000/base/my-bucket"},
      {"my-bucket", "https://proxy.example/base/", "https://my-bucket.proxy.example:443/base"},
      {"my.bucket", "http://store.example", "http://my.bucket.store.example:80"},
      {"my..bucket", "http://store.example", "http://store.example:80/my..bucket"},
      {"10.0.0.1", "http://store.example", "http://store.example:80/10.0.0.1"},
      {"my.bucket", "https://store.example", "https://store.example:443/my.bucket"},
  };
  for (const row& r : rows) {
    CAPTURE(r.bucket);
    CAPTURE(r.endpoint);
    const auto custom = r.endpoint.empty() ? std::nullopt : std::optional(r.endpoint);
    CHECK(text_of(s3("eu-west-1", r.bucket, custom)) == r.expected);
  }
  CHECK(text_of(s3("eu-west-1", "my-bucket", {}, true)) == "https://s3.eu-west-1.amazonaws.com:443/my-bucket");
  CHECK(text_of(s3("eu-west-1", "b-1", "http://minio:9000/base", true)) == "http://minio:9000/base/b-1");
}

TEST_CASE("what is no plain bucket is refused") {
  CHECK_THROWS_AS(s3("eu-west-1", "arn:aws:s3:eu-west-1:123456789012:accesspoint/x"), usage_error);
  CHECK_THROWS_AS(s3("us-east-1", "base--use1-az4--x-s3"), usage_error);
}
