#include "simulation/regions.hpp"

#include <string_view>

#include "simulation/forged_answers.hpp"

namespace dynabackup::simulation {
namespace {

/// Of "AWS4-HMAC-SHA256 Credential=KEY/20261122/eu-west-1/s3/aws4_request, …".
std::string region_signed_for(const request& r) {
  std::string_view rest = header_of(r, "Authorization");
  for (int slashes = 0; slashes < 2; ++slashes) {
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) return {};
    rest.remove_prefix(slash + 1);
  }
  return std::string(rest.substr(0, rest.find('/')));
}

void add_to_error(response& answer, const std::string& members) {
  const auto at = answer.body.find("<RequestId>");
  if (at != std::string::npos) answer.body.insert(at, members);
}

/// <Region> tells where to sign for; a HEAD has no body to say it in.
response malformed(const request& r, const std::string& region) {
  response answer = service_refusal(service::s3, r, 400, "AuthorizationHeaderMalformed",
                                    "The authorization header is malformed; the region is wrong.");
  add_to_error(answer, "<Region>" + region + "</Region>");
  return answer;
}

}  // namespace

std::string region_of_host(const std::string& host) {
  constexpr std::string_view head = "s3.", tail = ".amazonaws.com";
  if (!host.starts_with(head) || !host.ends_with(tail) || host.size() <= head.size() + tail.size()) return {};
  return host.substr(head.size(), host.size() - head.size() - tail.size());
}

std::string bucket_of(const request& r) {
  const std::string path = r.target.substr(1, r.target.find('?') - 1);
  return path.substr(0, path.find('/'));
}

const std::string& regions::place_of(const std::string& bucket) const {
  const auto place = places_.find(bucket);
  return place == places_.end() ? configured : place->second;
}

response regions::redirect(const request& r, const std::string& bucket, const std::string& there) {
  const bool covers_for_dns = aws_hosts_ && dice_.one_in(3);
  response answer = covers_for_dns ? service_refusal(service::s3, r, 307, "TemporaryRedirect", "Please re-send.")
                                   : service_refusal(service::s3, r, 301, "PermanentRedirect",
                                                     "The bucket must be addressed using the specified endpoint.");
  const std::string host = "s3." + there + ".amazonaws.com";
  add_to_error(answer, "<Endpoint>" + host + "</Endpoint><Bucket>" + bucket + "</Bucket>");
  if (covers_for_dns) answer.headers.push_back({"Location", "https://" + host + r.target});
  return answer;
}

std::optional<response> regions::refusal(const request& r) {
  const std::string bucket = bucket_of(r);
  const std::string& there = place_of(bucket);
  const std::string signed_for = region_signed_for(r);
  const std::string came_to = aws_hosts_ ? region_of_host(r.to.host) : there;
  if (came_to == there && signed_for == there) return std::nullopt;
  ++refusals_;
  const bool wrong_host = came_to != there;
  // One endpoint for all regions knows but what was signed for, and may put it either way.
  const bool by_signature = !wrong_host && (aws_hosts_ || dice_.one_in(2));
  response answer = by_signature ? malformed(r, there) : redirect(r, bucket, there);
  const bool head_bucket = r.method == "HEAD" && r.target == "/" + bucket;
  if (head_bucket || dice_.one_in(2)) answer.headers.push_back({"x-amz-bucket-region", there});
  return answer;
}

}  // namespace dynabackup::simulation
