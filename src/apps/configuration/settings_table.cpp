#include "apps/configuration/settings_table.hpp"

#include <algorithm>
#include <vector>

#include "apps/configuration/spelling.hpp"

namespace dynabackup::apps {
namespace {

using enum setting_kind;
using id = setting_id;

// clang-format off
constexpr std::array<setting, setting_count> table{{
    {id::incremental_bucket, bucket, "s3.incremental.bucket", true, {"INCREMENTAL_BUCKET"}, "",
     "--incremental-bucket", "", "Bucket of changes and backfilled items"},
    {id::incremental_prefix, prefix, "s3.incremental.prefix", true, {"INCREMENTAL_PREFIX"}, "",
     "--incremental-prefix", "", "Where in it; may hold {table}"},
    {id::snapshot_bucket, bucket, "s3.snapshot.bucket", true, {"SNAPSHOT_BUCKET"}, "",
     "--snapshot-bucket", "", "Bucket of snapshots"},
    {id::snapshot_prefix, prefix, "s3.snapshot.prefix", true, {"SNAPSHOT_PREFIX"}, "",
     "--snapshot-prefix", "", "Where in it; may hold {table}"},
    {id::dynamodb_region, text, "dynamodb.region", true, {"DYNAMODB_REGION"}, "",
     "--dynamodb-region", "", "Region of the table"},
    {id::dynamodb_host, host, "dynamodb.host", true, {"DYNAMODB_HOST"}, "",
     "--dynamodb-host", "", "Another host than the region's (DynamoDB Local)"},
    {id::dynamodb_port, port, "dynamodb.port", true, {"DYNAMODB_PORT"}, "",
     "--dynamodb-port", "443", "Its port"},
    {id::dynamodb_tls, flag, "dynamodb.tls", true, {"DYNAMODB_USETLS"}, "",
     "--dynamodb-tls", "true", "Speak TLS with it"},
    {id::dynamodb_endpoint, url, "dynamodb.endpoint", true, {"AWS_ENDPOINT_URL_DYNAMODB"}, "dynamodb.endpoint_url",
     "--dynamodb-endpoint", "", "The same three as one URL"},
    {id::dynamodb_streams_endpoint, url, "dynamodb.streams-endpoint", true, {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS"},
     "dynamodb_streams.endpoint_url", "--dynamodb-streams-endpoint", "", "URL of the streams, if not the table's host"},
    {id::dynamodb_parallelism, parallelism, "dynamodb.parallelism", true, {"DYNAMODB_PARALLELISM"}, "",
     "--parallelism", "32", "Most requests in flight; a power of two, 1 to 1024"},
    {id::dynamodb_segments, segments, "segments", false, {}, "",
     "--segments", "", "Segments of a backfill's scan; chosen if not given"},
    {id::max_read_units, units, "dynamodb.max-read-units", true, {"DYNABACKUP_MAX_READ_UNITS"}, "",
     "--max-read-units", "", "Ceiling on read units a second, all workers together"},
    {id::max_write_units, units, "dynamodb.max-write-units", true, {"DYNABACKUP_MAX_WRITE_UNITS"}, "",
     "--max-write-units", "", "Ceiling on write units a second, all workers together"},
    {id::s3_region, text, "s3.region", true, {"S3_REGION"}, "",
     "--s3-region", "", "Region of the buckets"},
    {id::s3_endpoint, url, "s3.endpoint", true, {"S3_ENDPOINT", "AWS_ENDPOINT_URL_S3"}, "s3.endpoint_url",
     "--s3-endpoint", "", "URL of an S3-compatible store"},
    {id::s3_path_style, flag, "s3.path-style", true, {"S3_PATH_STYLE"}, "",
     "--s3-path-style", "false", "Bucket in the path, not in the host name"},
    {id::s3_parallelism, parallelism, "s3.parallelism", true, {"S3_PARALLELISM"}, "",
     "--s3-parallelism", "", "As --parallelism, which it follows, for S3"},
    {id::s3_sse, encryption, "s3.sse", true, {"S3_SSE"}, "",
     "--s3-sse", "", "Server-side encryption: AES256, aws:kms or aws:kms:dsse"},
    {id::s3_kms_key_id, text, "s3.kms-key-id", true, {"S3_KMS_KEY_ID"}, "",
     "--s3-kms-key-id", "", "KMS key for it"},
    {id::lambda_endpoint, url, "lambda.endpoint", true, {"AWS_ENDPOINT_URL_LAMBDA"}, "lambda.endpoint_url",
     "--lambda-endpoint", "", "URL of AWS Lambda, which follow asks whether a function reads the stream too"},
    {id::region, text, "region", false, {"AWS_REGION", "AWS_DEFAULT_REGION"}, "region",
     "--region", "", "Region where no other is given"},
    {id::endpoint_url, url, "endpoint-url", false, {"AWS_ENDPOINT_URL"}, "endpoint_url",
     "--endpoint-url", "", "URL of all services where no other is given"},
    {id::profile, text, "profile", false, {"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}, "",
     "--profile", "", "Profile of ~/.aws; as an option it beats keys in the environment"},
    {id::use_fips, flag, "use-fips-endpoint", false, {"AWS_USE_FIPS_ENDPOINT"}, "use_fips_endpoint",
     "--use-fips-endpoint", "false", "AWS's FIPS endpoints"},
    {id::use_dualstack, flag, "use-dualstack-endpoint", false, {"AWS_USE_DUALSTACK_ENDPOINT"}, "use_dualstack_endpoint",
     "--use-dualstack-endpoint", "false", "AWS's IPv6 endpoints"},
    {id::ca_bundle, text, "ca-bundle", false, {"AWS_CA_BUNDLE"}, "ca_bundle",
     "--ca-bundle", "", "PEM file of trusted certificates; the system's if not given"},
    {id::max_attempts, attempts, "max-attempts", false, {"AWS_MAX_ATTEMPTS"}, "max_attempts",
     "--max-attempts", "10", "Most attempts of one request, the first included"},
    {id::memory, bytes, "memory", false, {}, "",
     "--memory", "32MiB", "Byte budget of a run: 8MiB to 64GiB"},
    {id::state, text, "state", false, {"DYNABACKUP_STATE"}, "",
     "--state", "", "Where a restore notes how far it is: a folder, or s3 (beside the snapshot)"},
}};
// clang-format on

constexpr bool ids_are_indexes() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (static_cast<std::size_t>(table[i].id) != i) return false;
  return true;
}
static_assert(ids_are_indexes(), "the table's rows stand in the order of setting_id");

}  // namespace

std::span<const setting, setting_count> all_settings() { return table; }

const setting& setting_of(setting_id which) { return table[static_cast<std::size_t>(which)]; }

const setting* setting_by_file_key(std::string_view key) {
  const auto* found =
      std::find_if(table.begin(), table.end(), [&](const setting& s) { return s.in_file && s.name == key; });
  return found == table.end() ? nullptr : found;
}

bool is_settings_group(std::string_view key) {
  return std::any_of(table.begin(), table.end(), [&](const setting& s) {
    return s.in_file && s.name.size() > key.size() && s.name.starts_with(key) && s.name[key.size()] == '.';
  });
}

std::string_view nearest_file_key(std::string_view key) {
  std::vector<std::string_view> known;
  for (const setting& s : table) {
    if (!s.in_file) continue;
    known.push_back(s.name);
    for (std::size_t dot = s.name.find('.'); dot != std::string_view::npos; dot = s.name.find('.', dot + 1))
      known.push_back(s.name.substr(0, dot));
  }
  return nearest_word(key, known);
}

}  // namespace dynabackup::apps
