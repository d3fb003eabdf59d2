#include "apps/configuration/configuration.hpp"

#include <doctest/doctest.h>
#include <string>
#include <vector>

#include "unit/apps_configuration/surroundings.hpp"

namespace dynabackup::apps {
namespace {

using id = setting_id;

configuration resolved(const surroundings& given) { return resolve(sources_of(given)); }
settings settings_of(const surroundings& given) { return to_settings(resolved(given), {}); }
std::string complaint_about(const surroundings& given) {
  return complaint([&] { settings_of(given); });
}

constexpr auto sample = R"(s3 {
  incremental {
    bucket = backup-bucket
	prefix = backup
  }
  snapshot {
    bucket = snapshot-bucket
	prefix = snapshots
  }
}

dynamodb {
  region = eu-central-1
  host = localhost
  port = 4242
  tls = false
  parallelism = 16
}
)";

TEST_CASE("the sample file parses as it stands") {
  const configuration in_force = resolved({.file = sample});
  CHECK(in_force[id::incremental_bucket].text == "backup-bucket");
  CHECK(in_force[id::incremental_bucket].origin == "backup.conf:3:14");
  CHECK(in_force[id::incremental_prefix].text == "backup");
  CHECK(in_force[id::incremental_prefix].origin == "backup.conf:4:11");
  CHECK(in_force[id::snapshot_bucket].text == "snapshot-bucket");
  CHECK(in_force[id::snapshot_prefix].text == "snapshots");
  const settings out = to_settings(in_force, {});
  CHECK(out.dynamodb.region == "eu-central-1");
  CHECK(out.dynamodb.endpoint == "http://localhost:4242");
  CHECK(out.dynamodb.parallelism == 16);
  CHECK(out.s3.parallelism == 16);
  CHECK(out.s3.region == "eu-central-1");
  CHECK_FALSE(out.s3.endpoint);
}

TEST_CASE("nothing given leaves the defaults") {
  const settings out = settings_of({});
  const settings plain;
  CHECK(out.dynamodb.region.empty());
  CHECK_FALSE(out.dynamodb.endpoint);
  CHECK(out.dynamodb.parallelism == plain.dynamodb.parallelism);
  CHECK(out.dynamodb.segments == plain.dynamodb.segments);
  CHECK(out.s3.parallelism == plain.s3.parallelism);
  CHECK_FALSE(out.s3.path_style);
  CHECK(out.memory_bytes == plain.memory_bytes);
  CHECK(out.max_attempts == plain.max_attempts);
  CHECK_FALSE(out.endpoints.use_fips);
}

TEST_CASE("command line beats file beats environment beats profile beats default") {
  surroundings given;
  const auto parallelism = [&] { return resolved(given)[id::dynamodb_parallelism]; };
  CHECK(parallelism().origin == "default");
  given.variables["DYNAMODB_PARALLELISM"] = "2";
  CHECK(parallelism().text == "2");
  CHECK(parallelism().origin == "variable DYNAMODB_PARALLELISM");
  given.file = "dynamodb.parallelism = 4";
  CHECK(parallelism().text == "4");
  CHECK(parallelism().origin == "backup.conf:1:24");
  given.options["dynamodb.parallelism"] = "8";
  CHECK(parallelism().text == "8");
  CHECK(parallelism().origin == "--parallelism");

  surroundings attempts{.profile = {{"max_attempts", "3"}}};
  CHECK(resolved(attempts)[id::max_attempts].text == "3");
  CHECK(resolved(attempts)[id::max_attempts].origin == "max_attempts in the AWS profile");
  attempts.variables["AWS_MAX_ATTEMPTS"] = "5";
  CHECK(settings_of(attempts).max_attempts == 5);
}

TEST_CASE("Lambda's endpoint is its own, else the general one, else none") {
  CHECK_FALSE(settings_of({}).lambda.endpoint);
  CHECK_FALSE(settings_of({.variables = {{"AWS_ENDPOINT_URL_DYNAMODB", "http://e:1"}}}).lambda.endpoint);
  CHECK(settings_of({.variables = {{"AWS_ENDPOINT_URL", "http://g:2"}}}).lambda.endpoint == "http://g:2");
  CHECK(settings_of({.variables = {{"AWS_ENDPOINT_URL_LAMBDA", "http://l:3"}, {"AWS_ENDPOINT_URL", "http://g:2"}}})
            .lambda.endpoint == "http://l:3");
  CHECK(settings_of({.profile = {{"lambda.endpoint_url", "http://p:4"}}}).lambda.endpoint == "http://p:4");
  CHECK_FALSE(settings_of({.variables = {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
                                         {"AWS_ENDPOINT_URL_LAMBDA", "http://l:3"},
                                         {"AWS_ENDPOINT_URL", "http://g:2"}},
                           .profile = {{"lambda.endpoint_url", "http://p:4"}}})
                  .lambda.endpoint);
}

TEST_CASE("every setting can be given by each of its names, and by no other place") {
  const words values{{"s3.incremental.bucket", "b"},
                     {"s3.incremental.prefix", "p"},
                     {"s3.snapshot.bucket", "c"},
                     {"s3.snapshot.prefix", "q"},
                     {"dynamodb.region", "r"},
                     {"dynamodb.host", "h"},
                     {"dynamodb.port", "7"},
                     {"dynamodb.tls", "false"},
                     {"dynamodb.endpoint", "http://e"},
                     {"dynamodb.streams-endpoint", "http://s"},
                     {"dynamodb.parallelism", "64"},
                     {"segments", "5"},
                     {"dynamodb.max-read-units", "70"},
                     {"dynamodb.max-write-units", "80"},
                     {"s3.region", "t"},
                     {"s3.endpoint", "http://f"},
                     {"s3.path-style", "true"},
                     {"s3.parallelism", "128"},
                     {"s3.sse", "aws:kms"},
                     {"s3.kms-key-id", "k"},
                     {"lambda.endpoint", "http://l"},
                     {"region", "u"},
                     {"endpoint-url", "http://g"},
                     {"profile", "v"},
                     {"use-fips-endpoint", "true"},
                     {"use-dualstack-endpoint", "true"},
                     {"ca-bundle", "/pem"},
                     {"max-attempts", "4"},
                     {"memory", "64MiB"},
                     {"state", "s3"}};
  for (const setting& which : all_settings()) {
    CAPTURE(which.name);
    const std::string name(which.name);
    REQUIRE(values.count(name) == 1);
    const std::string value = values.at(name);
    // A port or TLS alone belongs to no host.
    const words company =
        which.kind == setting_kind::port || name == "dynamodb.tls" ? words{{"DYNAMODB_HOST", "somewhere"}} : words{};
    CHECK(resolved({.variables = company, .options = {{name, value}}})[which.id].text == value);
    for (const std::string_view variable : which.variables) {
      if (variable.empty()) continue;
      words variables = company;
      variables[std::string(variable)] = value;
      const configuration in_force = resolved({.variables = variables});
      CHECK(in_force[which.id].text == value);
      CHECK(in_force[which.id].origin == "variable " + std::string(variable));
    }
    const std::string file = name + " = \"" + value + "\"";
    if (which.in_file)
      CHECK(resolved({.variables = company, .file = file})[which.id].text == value);
    else
      CHECK(complaint_about({.file = file}).starts_with("backup.conf:1:1: " + name + ": unknown key"));
  }
}

TEST_CASE("an empty variable counts as unset") {
  const configuration in_force =
      resolved({.variables = {{"DYNAMODB_PARALLELISM", ""}, {"DYNAMODB_REGION", ""}, {"AWS_REGION", "eu-west-1"}}});
  CHECK(in_force[id::dynamodb_parallelism].origin == "default");
  CHECK(in_force[id::dynamodb_region].text == "eu-west-1");
}

struct bad_row {
  surroundings given;
  std::string message;
};

TEST_CASE("a wrong value names the place it came from") {
  const std::vector<bad_row> rows{
      {{.variables = {{"DYNAMODB_PARALLELISM", "3"}}},
       "variable DYNAMODB_PARALLELISM: '3' is not a power of two; the nearest allowed values are 2 and 4"},
      {{.file = "dynamodb {\n  parallelism = 0\n}"},
       "backup.conf:2:17: dynamodb.parallelism: '0' is less than 1; the nearest allowed value is 1"},
      {{.options = {{"dynamodb.parallelism", "-1"}}},
       "--parallelism: '-1' is less than 1; the nearest allowed value is 1"},
      {{.options = {{"s3.parallelism", "1099511627776"}}},
       "--s3-parallelism: '1099511627776' is more than 1024; the nearest allowed value is 1024"},
      {{.file = "dynamodb.tls = maybe"}, "backup.conf:1:16: dynamodb.tls: 'maybe' is neither true nor false"},
      {{.file = "dynamodb.port = http"},
       "backup.conf:1:17: dynamodb.port: 'http' is not a whole number from 1 to 65535"},
      {{.file = "s3.incremental.bucket = \"\""}, "backup.conf:1:25: s3.incremental.bucket: must not be empty"},
      {{.file = "s3.incremental.buckett = x"},
       "backup.conf:1:1: s3.incremental.buckett: unknown key; did you mean s3.incremental.bucket?"},
      {{.file = "s3 {\n  snapshots {\n bucket = x } }"},
       "backup.conf:2:3: s3.snapshots: unknown key; did you mean s3.snapshot?"},
      {{.file = "dynamodb.paralelism = 4"},
       "backup.conf:1:1: dynamodb.paralelism: unknown key; did you mean dynamodb.parallelism?"},
      {{.file = "completely-else = 4"}, "backup.conf:1:1: completely-else: unknown key"},
      {{.file = "unheard-of { }"}, "backup.conf:1:1: unheard-of: unknown key"},
      {{.file = "unheard-of = ${?NOBODY}"}, "backup.conf:1:1: unheard-of: unknown key"},
      {{.file = "s3 = x"}, "backup.conf:1:6: s3: is a block: s3 { … }"},
      {{.file = "dynamodb.region { }"}, "backup.conf:1:17: dynamodb.region: takes a value, not a block"},
      {{.file = "\"s3.region\" = x"}, "backup.conf:1:1: \"s3.region\": unknown key; did you mean s3.region?"},
      {{.variables = {{"P", "5"}}, .file = "dynamodb.parallelism = ${?P}"},
       "backup.conf:1:24: dynamodb.parallelism: '5' is not a power of two; the nearest allowed values are 4 and 8"},
      // A wrong line of the file is wrong even where something stronger or later wins.
      {{.file = "dynamodb.parallelism = 3\ndynamodb.parallelism = 4", .options = {{"dynamodb.parallelism", "8"}}},
       "backup.conf:1:24: dynamodb.parallelism: '3' is not a power of two; the nearest allowed values are 2 and 4"},
      {{.variables = {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "perhaps"}}},
       "variable AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'perhaps' is neither true nor false"},
      {{.variables = {{"S3_ENDPOINT", "https://user:secret@host"}}},
       "variable S3_ENDPOINT: must not hold a user or password"},
      {{.variables = {{"DYNAMODB_PORT", "8000"}}},
       "variable DYNAMODB_PORT: dynamodb.port is set without a host: set dynamodb.host too (DYNAMODB_HOST, "
       "--dynamodb-host), or leave it out"},
      {{.variables = {{"DYNAMODB_USETLS", "false"}}},
       "variable DYNAMODB_USETLS: dynamodb.tls is set without a host: set dynamodb.host too (DYNAMODB_HOST, "
       "--dynamodb-host), or leave it out"},
      {{.options = {{"s3.kms-key-id", "alias/backup"}}},
       "--s3-kms-key-id: s3.kms-key-id needs s3.sse = aws:kms or aws:kms:dsse (S3_SSE, --s3-sse)"},
      {{.options = {{"s3.kms-key-id", "k"}, {"s3.sse", "AES256"}}},
       "--s3-kms-key-id: s3.kms-key-id needs s3.sse = aws:kms or aws:kms:dsse (S3_SSE, --s3-sse)"},
  };
  for (const bad_row& row : rows) CHECK(complaint_about(row.given) == row.message);
}

TEST_CASE("a later line of the file wins, an unset variable leaves the earlier one") {
  CHECK(resolved({.file = "s3.region = a\ns3 { region = b }"})[id::s3_region].text == "b");
  CHECK(resolved({.file = "s3.region = a\ns3.region = ${?NOBODY}"})[id::s3_region].text == "a");
  CHECK(resolved({.variables = {{"R", "c"}}, .file = "s3.region = a\ns3.region = ${?R}"})[id::s3_region].text == "c");
}

struct endpoint_row {
  surroundings given;
  std::string dynamodb;  ///< empty = the region's
  std::string s3;
};

TEST_CASE("endpoints: host, port and TLS, AWS's variables, the profile") {
  const std::vector<endpoint_row> rows{
      {{.variables = {{"DYNAMODB_HOST", "db.example"}}}, "https://db.example:443", ""},
      {{.variables = {{"DYNAMODB_HOST", "localhost"}, {"DYNAMODB_PORT", "8000"}, {"DYNAMODB_USETLS", "FALSE"}}},
       "http://localhost:8000",
       ""},
      {{.variables = {{"DYNAMODB_HOST", "::1"}, {"DYNAMODB_PORT", "8000"}, {"DYNAMODB_USETLS", "0"}}},
       "http://[::1]:8000",
       ""},
      {{.variables = {{"DYNAMODB_PORT", "443"}, {"DYNAMODB_USETLS", "true"}}}, "", ""},
      {{.variables = {{"DYNAMODB_HOST", "h"}, {"AWS_ENDPOINT_URL_DYNAMODB", "http://e:1"}}}, "https://h:443", ""},
      {{.variables = {{"AWS_ENDPOINT_URL_DYNAMODB", "http://e:1"}, {"AWS_ENDPOINT_URL", "http://g:2"}}},
       "http://e:1",
       "http://g:2"},
      {{.variables = {{"S3_ENDPOINT", "http://s:1"}, {"AWS_ENDPOINT_URL_S3", "http://t:2"}}}, "", "http://s:1"},
      {{.variables = {{"AWS_ENDPOINT_URL_S3", "http://t:2"}, {"AWS_ENDPOINT_URL", "http://g:2"}}},
       "http://g:2",
       "http://t:2"},
      {{.profile = {{"endpoint_url", "http://p:3"}}}, "http://p:3", "http://p:3"},
      {{.variables = {{"AWS_ENDPOINT_URL", "http://g:2"}}, .profile = {{"endpoint_url", "http://p:3"}}},
       "http://g:2",
       "http://g:2"},
      {{.variables = {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
                      {"AWS_ENDPOINT_URL", "http://g:2"},
                      {"AWS_ENDPOINT_URL_S3", "http://t:2"},
                      {"AWS_ENDPOINT_URL_DYNAMODB", "http://e:1"}},
        .profile = {{"endpoint_url", "http://p:3"}}},
       "",
       ""},
      {{.variables = {{"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"},
                      {"S3_ENDPOINT", "http://s:1"},
                      {"DYNAMODB_HOST", "h"}}},
       "https://h:443",
       "http://s:1"},
      // A stronger place beats a narrower name.
      {{.variables = {{"DYNAMODB_HOST", "h"}}, .options = {{"dynamodb.endpoint", "http://o:9"}}}, "http://o:9", ""},
      {{.variables = {{"DYNAMODB_HOST", "h"}, {"S3_ENDPOINT", "http://s:1"}},
        .options = {{"endpoint-url", "http://o:9"}}},
       "http://o:9",
       "http://o:9"},
      {{.variables = {{"AWS_ENDPOINT_URL_DYNAMODB", "http://e:1"}}, .file = "dynamodb.host = f"}, "https://f:443", ""},
  };
  for (const endpoint_row& row : rows) {
    const settings out = settings_of(row.given);
    CHECK(out.dynamodb.endpoint.value_or("") == row.dynamodb);
    CHECK(out.s3.endpoint.value_or("") == row.s3);
  }
}

struct region_row {
  surroundings given;
  std::string dynamodb;
  std::string s3;
};

TEST_CASE("regions: their own, else AWS's, else the table's") {
  const std::vector<region_row> rows{
      {{}, "", ""},
      {{.variables = {{"DYNAMODB_REGION", "a"}}}, "a", "a"},
      {{.variables = {{"DYNAMODB_REGION", "a"}, {"S3_REGION", "b"}}}, "a", "b"},
      {{.variables = {{"AWS_REGION", "c"}}}, "c", "c"},
      {{.variables = {{"AWS_DEFAULT_REGION", "d"}}}, "d", "d"},
      {{.variables = {{"AWS_REGION", "c"}, {"AWS_DEFAULT_REGION", "d"}}}, "c", "c"},
      {{.variables = {{"DYNAMODB_REGION", "a"}, {"AWS_REGION", "c"}}}, "a", "c"},
      {{.profile = {{"region", "p"}}}, "p", "p"},
      {{.variables = {{"AWS_REGION", "c"}}, .profile = {{"region", "p"}}}, "c", "c"},
      {{.variables = {{"DYNAMODB_REGION", "a"}}, .options = {{"region", "o"}}}, "o", "o"},
      {{.variables = {{"S3_ENDPOINT", "http://s:1"}}}, "", "us-east-1"},
      {{.variables = {{"S3_ENDPOINT", "http://s:1"}, {"DYNAMODB_REGION", "a"}}}, "a", "a"},
  };
  for (const region_row& row : rows) {
    const settings out = settings_of(row.given);
    CHECK(out.dynamodb.region == row.dynamodb);
    CHECK(out.s3.region == row.s3);
  }
}

TEST_CASE("the rest arrives in the engine's settings") {
  const settings out = settings_of({.variables = {{"AWS_USE_FIPS_ENDPOINT", "true"},
                                                  {"AWS_USE_DUALSTACK_ENDPOINT", "TRUE"},
                                                  {"AWS_CA_BUNDLE", "/etc/ca.pem"},
                                                  {"AWS_MAX_ATTEMPTS", "7"},
                                                  {"S3_PATH_STYLE", "true"},
                                                  {"S3_PARALLELISM", "256"},
                                                  {"S3_SSE", "aws:kms"},
                                                  {"S3_KMS_KEY_ID", "alias/backup"}},
                                    .options = {{"memory", "64M"}, {"segments", "12"}}});
  CHECK(out.endpoints.use_fips);
  CHECK(out.endpoints.use_dualstack);
  CHECK(out.ca_bundle == "/etc/ca.pem");
  CHECK(out.max_attempts == 7);
  CHECK(out.s3.path_style);
  CHECK(out.s3.parallelism == 256);
  CHECK(out.dynamodb.parallelism == 32);
  CHECK(out.s3.sse == "aws:kms");
  CHECK(out.s3.kms_key_id == "alias/backup");
  CHECK(out.memory_bytes == std::size_t{64} << 20);
  CHECK(out.dynamodb.segments == 12);
}

}  // namespace
}  // namespace dynabackup::apps
