#include "composition.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup {
namespace {

constexpr std::size_t max_parallelism = 1024;
/// A lease is renewed beside whatever is under way, one request at a time.
constexpr std::size_t urgent_requests = 2;

void check_parallelism(std::size_t n, const char* service) {
  if (!std::has_single_bit(n) || n > max_parallelism)
    throw usage_error(std::string(service) + " parallelism must be a power of two from 1 to 1024, not " +
                      std::to_string(n));
}

settings checked(settings s) {
  check_parallelism(s.dynamodb.parallelism, "DynamoDB");
  check_parallelism(s.s3.parallelism, "S3");
  return s;
}

http::pool_settings pool_for(const settings& s) {
  http::pool_settings pool;
  pool.max_idle = std::max(s.dynamodb.parallelism, s.s3.parallelism);
  pool.idle_timeout = s.idle_connection;
  pool.ca_bundle = s.ca_bundle;
  return pool;
}

transport& network_or_pool(transport* network, std::optional<http::connection_pool>& pool, const settings& s) {
  return network != nullptr ? *network : pool.emplace(pool_for(s));
}

/// The place of STS, where the environment and the profile leave it open, is the table's region.
aws::chain_surroundings surroundings_of(const settings& s, transport& network, runtime::clock& clock,
                                        std::uint64_t seed) {
  return {.network = network,
          .clock = clock,
          .seed = seed,
          .region = s.dynamodb.region.empty() ? s.s3.region : s.dynamodb.region,
          .fips = s.endpoints.use_fips,
          .dualstack = s.endpoints.use_dualstack};
}

aws::endpoint where_dynamodb_is(const settings& s) {
  aws::endpoint_query query;
  // A snapshot touches no table and needs no region of one; the engine tells whoever does.
  query.region = s.dynamodb.region.empty() ? s.s3.region : s.dynamodb.region;
  query.endpoint = s.dynamodb.endpoint;
  query.fips = s.endpoints.use_fips;
  query.dualstack = s.endpoints.use_dualstack;
  return aws::dynamodb_endpoint(query);
}

/// Streams live on the table's host where that is one of the user's, unless another is named for them.
aws::endpoint where_streams_are(const settings& s) {
  aws::endpoint_query query;
  query.region = s.dynamodb.region.empty() ? s.s3.region : s.dynamodb.region;
  query.endpoint = s.dynamodb.streams_endpoint ? s.dynamodb.streams_endpoint : s.dynamodb.endpoint;
  query.fips = s.endpoints.use_fips;
  query.dualstack = s.endpoints.use_dualstack;
  return aws::dynamodb_streams_endpoint(query);
}

/// Mappings are in the table's region. A table elsewhere than at AWS has none there.
std::optional<aws::endpoint> where_lambda_is(const settings& s) {
  aws::endpoint_query query;
  query.region = s.dynamodb.region.empty() ? s.s3.region : s.dynamodb.region;
  query.endpoint = s.lambda.endpoint;
  const bool elsewhere = s.dynamodb.endpoint || query.region == "local";
  if (!query.endpoint && elsewhere) return std::nullopt;
  // What is asked for good measure only must not keep anything from starting.
  query.fips = s.endpoints.use_fips && !query.endpoint;
  query.dualstack = s.endpoints.use_dualstack && !query.endpoint;
  return aws::lambda_endpoint(query);
}

s3::client_settings how_s3_is_reached(const settings& s) {
  s3::client_settings c;
  c.region = s.s3.region;
  c.endpoint = s.s3.endpoint;
  c.path_style = s.s3.path_style;
  c.fips = s.endpoints.use_fips;
  c.dualstack = s.endpoints.use_dualstack;
  c.sse = s.s3.sse;
  c.kms_key_id = s.s3.kms_key_id;
  return c;
}

aws::retry_policy patient(int max_attempts, std::chrono::milliseconds transient_base) {
  aws::retry_policy policy;
  policy.max_attempts = max_attempts;
  policy.transient_base = transient_base;
  return policy;
}

}  // namespace

composition::composition(settings given, transport* network, runtime::clock& time, std::uint64_t seed)
    : configuration(checked(std::move(given))),
      clock(time),
      random(seed),
      who(aws::credential_chain(
          configuration.credentials,
          surroundings_of(configuration, network_or_pool(network, credential_pool, configuration), clock, random()))),
      table_endpoint(where_dynamodb_is(configuration)),
      stream_endpoint(where_streams_are(configuration)),
      table_permits(configuration.dynamodb.parallelism),
      stream_permits(configuration.dynamodb.parallelism),
      object_permits(configuration.s3.parallelism),
      urgent_permits(urgent_requests),
      table_signed(network_or_pool(network, table_pool, configuration), *who, clock, table_endpoint.signing_region,
                   "dynamodb", aws::sigv4::dynamodb_rules),
      // The scope names dynamodb here too; connections are the table's pool's, which tells hosts apart.
      stream_signed(network != nullptr ? *network : *table_pool, *who, clock, stream_endpoint.signing_region,
                    "dynamodb", aws::sigv4::dynamodb_rules),
      object_signed(network_or_pool(network, object_pool, configuration), *who, clock, configuration.s3.region, "s3",
                    aws::sigv4::s3_rules),
      table_stack(table_signed, clock, table_permits, aws::read_json_failure,
                  patient(configuration.max_attempts, std::chrono::milliseconds{25}), random()),
      stream_stack(stream_signed, clock, stream_permits, aws::read_json_failure,
                   patient(configuration.max_attempts, std::chrono::milliseconds{25}), seed + 1),
      object_stack(object_signed, clock, object_permits, aws::read_xml_failure,
                   patient(configuration.max_attempts, std::chrono::milliseconds{50}), random()),
      urgent_stack(object_signed, clock, urgent_permits, aws::read_xml_failure,
                   patient(configuration.max_attempts, std::chrono::milliseconds{50}), seed + 2),
      tables(table_stack, table_endpoint.base.where, table_endpoint.base.path),
      streams(stream_stack, stream_endpoint.base.where, stream_endpoint.base.path),
      objects(object_stack, how_s3_is_reached(configuration)),
      urgent_objects(urgent_stack, how_s3_is_reached(configuration)),
      reads(clock, configuration.dynamodb.max_read_units),
      writes(clock, configuration.dynamodb.max_write_units) {
  if (auto at = where_lambda_is(configuration))
    functions.emplace(network != nullptr ? *network : *table_pool, clock, *who, *std::move(at));
}

pipelines::run_context composition::context(progress& seen) {
  table_stack.count_into(&seen);
  stream_stack.count_into(&seen);
  object_stack.count_into(&seen);
  urgent_stack.count_into(&seen);
  return {.tables = tables,
          .streams = streams,
          .objects = objects,
          .urgent_objects = urgent_objects,
          .clock = clock,
          .stop = stop,
          .seen = seen,
          .table_parallelism = configuration.dynamodb.parallelism,
          .object_parallelism = configuration.s3.parallelism,
          .segments = configuration.dynamodb.segments,
          .memory_bytes = configuration.memory_bytes,
          .part_bytes = part_bytes,
          .reads = reads,
          .writes = writes,
          .random = [this] { return std::uniform_real_distribution<double>(0, 1)(random); },
          .table_throttled = [this](double share) { table_stack.shared_pace().throttled(clock.steady_now(), share); },
          .functions = functions ? &*functions : nullptr};
}

}  // namespace dynabackup
