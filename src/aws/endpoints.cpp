#include "aws/endpoints.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::aws {
namespace {

/// A group of regions with names of its own; a region belongs to the first whose prefix it has.
struct partition {
  std::string_view region_prefix;
  std::string_view suffix;
  std::string_view dualstack_suffix;
};
constexpr std::array<partition, 8> partitions{{
    {"cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"},
    {"us-gov-", "amazonaws.com", "api.aws"},
    {"us-iso-", "c2s.ic.gov", "api.aws.ic.gov"},
    {"us-isob-", "sc2s.sgov.gov", "api.aws.scloud"},
    {"eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"},
    {"us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"},
    {"eusc-", "amazonaws.eu", "api.amazonwebservices.eu"},
    {"", "amazonaws.com", "api.aws"},
}};

const partition& partition_of(std::string_view region) {
  return *std::ranges::find_if(partitions, [&](const partition& p) { return region.starts_with(p.region_prefix); });
}

bool is_commercial(const partition& p) { return p.region_prefix.empty(); }
bool is_china(const partition& p) { return p.region_prefix == "cn-"; }
bool is_govcloud(const partition& p) { return p.region_prefix == "us-gov-"; }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

bool is_host_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::ranges::all_of(label, [](char c) { return is_digit(c) || is_lower(c) || is_upper(c) || c == '-'; });
}

std::string quoted(std::string_view text) {
  std::string out = "\"" + std::string(text.substr(0, 80)) + "\"";
  std::ranges::replace_if(out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return out;
}

void require_region(const endpoint_query& query) {
  if (query.region.empty()) throw usage_error("no region is set: set AWS_REGION, or region in the profile");
}

/// What holds for every service. A region goes into a host name, so that it must be fit for one.
void check(const endpoint_query& query) {
  if (!query.region.empty() && !is_host_label(query.region))
    throw usage_error(quoted(query.region) + " is not a region: write one like eu-west-1");
  if (!query.endpoint) return require_region(query);
  if (query.fips) throw usage_error("a custom endpoint and FIPS endpoints exclude each other: set one of them");
  if (query.dualstack)
    throw usage_error("a custom endpoint and dual-stack endpoints exclude each other: set one of them");
}

/// Some stores want any region at all in the signature's scope; without one set it is the oldest.
std::string signing_region_of(const endpoint_query& query) {
  return query.region.empty() || query.region == "local" ? "us-east-1" : query.region;
}

endpoint custom(const endpoint_query& query) {
  return {.base = http::parse_url(*query.endpoint), .signing_region = signing_region_of(query)};
}

endpoint at_host(const endpoint_query& query, std::string host) {
  return {.base = {.where = {.tls = true, .host = std::move(host), .port = 443}, .path = ""},
          .signing_region = query.region};
}

/// "name.region.suffix" as the query wants it; `plain` and `dual` are the service's names without and with dual stack.
struct service_names {
  std::string_view plain;
  std::string_view dual;
  bool govcloud_fips_is_plain;
};
endpoint regional(const endpoint_query& query, const service_names& names) {
  const partition& p = partition_of(query.region);
  std::string host(query.dualstack ? names.dual : names.plain);
  const bool plain_name_is_fips = names.govcloud_fips_is_plain && is_govcloud(p) && !query.dualstack;
  if (query.fips && !plain_name_is_fips) host += "-fips";
  ((host += '.') += query.region) += '.';
  host += query.dualstack ? p.dualstack_suffix : p.suffix;
  return at_host(query, std::move(host));
}

/// The region "local" is DynamoDB Local on this machine.
endpoint local_dynamodb(const endpoint_query& query) {
  if (query.fips || query.dualstack) throw usage_error("the region local has neither FIPS nor dual-stack endpoints");
  return {.base = {.where = {.tls = false, .host = "localhost", .port = 8000}, .path = ""},
          .signing_region = signing_region_of(query)};
}

/// Whether DynamoDB's endpoint of the account itself is to be used; usage_error where it is required and cannot be.
bool wants_account_endpoint(const endpoint_query& query) {
  const bool required = query.account_id_endpoint_mode == "required";
  if (!required && query.account_id_endpoint_mode != "preferred") return false;
  if (!is_commercial(partition_of(query.region)) || query.fips) {
    if (!required) return false;
    throw usage_error("account endpoints are required, but region " + query.region +
                      (query.fips ? " has none with FIPS" : " has none") +
                      ": set the account id endpoint mode to preferred");
  }
  if (!query.account_id) {
    if (!required) return false;
    throw usage_error("account endpoints are required, but the account id is not known: set AWS_ACCOUNT_ID");
  }
  if (!is_host_label(*query.account_id)) throw usage_error(quoted(*query.account_id) + " is not an account id");
  return true;
}

void check_account_mode(const std::string& mode) {
  if (mode != "disabled" && mode != "preferred" && mode != "required")
    throw usage_error(quoted(mode) + " is not an account id endpoint mode: write disabled, preferred or required");
}

bool looks_like_ip_address(std::string_view host) {
  const bool ipv6 = host.find(':') != std::string_view::npos;
  const bool ipv4 =
      std::ranges::count(host, '.') == 3 && std::ranges::all_of(host, [](char c) { return is_digit(c) || c == '.'; });
  return ipv6 || ipv4;
}

/// Whether the bucket can stand before the host. Dots would need a certificate with as many wildcards as dots, so
/// that they may only stand there without TLS.
bool fits_host(std::string_view bucket, bool tls) {
  if (bucket.size() < 3 || bucket.size() > 63 || looks_like_ip_address(bucket)) return false;
  while (true) {
    const std::size_t dot = bucket.find('.');
    const std::string_view label = bucket.substr(0, dot);
    if (!is_host_label(label) || std::ranges::any_of(label, is_upper)) return false;
    if (dot == std::string_view::npos) return true;
    if (tls) return false;
    bucket.remove_prefix(dot + 1);
  }
}

void check_bucket(std::string_view bucket) {
  if (bucket.starts_with("arn:"))
    throw usage_error(quoted(bucket) + " is an ARN: name a bucket, or the alias of an access point");
  if (bucket.ends_with("--x-s3")) throw usage_error(quoted(bucket) + " is a directory bucket: these are not supported");
}

}  // namespace

endpoint dynamodb_endpoint(const endpoint_query& query) {
  check(query);
  check_account_mode(query.account_id_endpoint_mode);
  if (query.endpoint) {
    endpoint result = custom(query);
    const std::string dualstack_host =
        "dynamodb." + query.region + "." + std::string(partition_of(query.region).dualstack_suffix);
    if (result.base.where == origin{.tls = true, .host = dualstack_host, .port = 443} && result.base.path.empty())
      throw usage_error("the custom endpoint is the dual-stack endpoint: ask for dual stack instead");
    return result;
  }
  if (query.region == "local") return local_dynamodb(query);
  if (!wants_account_endpoint(query))
    return regional(query, {.plain = "dynamodb", .dual = "dynamodb", .govcloud_fips_is_plain = true});
  const partition& p = partition_of(query.region);
  return at_host(query, *query.account_id + ".ddb." + query.region + "." +
                            std::string(query.dualstack ? p.dualstack_suffix : p.suffix));
}

endpoint dynamodb_streams_endpoint(const endpoint_query& query) {
  check(query);
  if (query.endpoint) return custom(query);
  if (query.region == "local") return local_dynamodb(query);
  return regional(query, {.plain = "streams.dynamodb", .dual = "streams-dynamodb", .govcloud_fips_is_plain = true});
}

endpoint sts_endpoint(const endpoint_query& query) {
  check(query);
  if (query.endpoint) return custom(query);
  return regional(query, {.plain = "sts", .dual = "sts", .govcloud_fips_is_plain = true});
}

endpoint lambda_endpoint(const endpoint_query& query) {
  check(query);
  if (query.endpoint) return custom(query);
  return regional(query, {.plain = "lambda", .dual = "lambda", .govcloud_fips_is_plain = false});
}

endpoint s3_endpoint(const s3_endpoint_query& query) {
  check(query);
  require_region(query);
  check_bucket(query.bucket);
  const partition& p = partition_of(query.region);
  if (query.fips && is_china(p)) throw usage_error("S3 has no FIPS endpoints in China");

  endpoint result;
  if (query.endpoint) {
    result = custom(query);
    result.signing_region = query.region;
  } else {
    std::string host = query.fips ? "s3-fips." : "s3.";
    if (query.dualstack) host += "dualstack.";
    (((host += query.region) += '.') += p.suffix);
    result = at_host(query, std::move(host));
  }
  if (query.bucket.empty()) return result;

  origin& where = result.base.where;
  const bool virtual_host =
      !query.force_path_style && !looks_like_ip_address(where.host) && fits_host(query.bucket, where.tls);
  if (virtual_host)
    where.host = query.bucket + "." + where.host;
  else
    result.base.path += "/" + text::percent_encode(query.bucket);
  return result;
}

}  // namespace dynabackup::aws
