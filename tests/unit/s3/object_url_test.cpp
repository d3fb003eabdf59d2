#include "s3/object_url.hpp"

#include <doctest/doctest.h>

#include "dynabackup/error.hpp"

namespace dynabackup::s3 {
namespace {

client_settings at_endpoint(std::string endpoint, bool path_style) {
  client_settings settings;
  settings.region = "eu-central-1";
  settings.endpoint = std::move(endpoint);
  settings.path_style = path_style;
  return settings;
}

TEST_CASE("a bucket is reached by its virtual host or by its path") {
  client_settings aws;
  aws.region = "eu-central-1";
  struct row {
    client_settings settings;
    std::string bucket, key, query, host, target;
  };
  for (const row& r : {
           row{aws, "plain", "a/b", "", "plain.s3.eu-central-1.amazonaws.com", "/a/b"},
           row{aws, "plain", "", "versions=", "plain.s3.eu-central-1.amazonaws.com", "/?versions="},
           row{aws, "with.dot", "k", "", "s3.eu-central-1.amazonaws.com", "/with.dot/k"},
           row{at_endpoint("http://127.0.0.1:7480", false), "plain", "k", "", "127.0.0.1", "/plain/k"},
           row{at_endpoint("http://localhost:7480", true), "plain", "k", "x=1", "localhost", "/plain/k?x=1"},
           row{at_endpoint("http://localhost:7480", true), "plain", "", "x=1", "localhost", "/plain?x=1"},
           row{at_endpoint("http://localhost:7480/base/s3", true), "plain", "k", "", "localhost", "/base/s3/plain/k"},
           row{at_endpoint("http://localhost:7480", false), "plain", "k", "", "plain.localhost", "/k"},
           row{at_endpoint("http://localhost:7480/base", false), "plain", "k", "", "plain.localhost", "/base/k"},
       }) {
    CAPTURE(r.target);
    const object_url url = url_of(bucket_endpoint(r.settings, r.bucket), r.key, r.query);
    CHECK(url.to.host == r.host);
    CHECK(url.target == r.target);
  }
}

TEST_CASE("a key's bytes are encoded once and nothing is tidied") {
  const aws::endpoint bucket = bucket_endpoint(at_endpoint("http://localhost", true), "b");
  struct row {
    std::string_view key, path;
  };
  for (const row& r : {
           row{"a b+c%20", "/b/a%20b%2Bc%2520"},
           row{"../x//y/./", "/b/../x//y/./"},
           row{"/lead", "/b//lead"},
           row{"\xC3\xA4?#&=", "/b/%C3%A4%3F%23%26%3D"},
           row{std::string_view("\0\r\n", 3), "/b/%00%0D%0A"},
           row{"-._~", "/b/-._~"},
       }) {
    CHECK(url_of(bucket, r.key, {}).target == r.path);
  }
}

TEST_CASE("parameters are encoded, '/' too") {
  std::string query;
  add_parameter(query, "prefix", "a/b c+");
  add_parameter(query, "delimiter", "");
  CHECK(query == "prefix=a%2Fb%20c%2B&delimiter=");
}

}  // namespace
}  // namespace dynabackup::s3
