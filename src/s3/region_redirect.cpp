#include "s3/region_redirect.hpp"

#include <algorithm>
#include <string_view>

#include "s3/answer.hpp"

namespace dynabackup::s3 {
namespace {

constexpr std::size_t longest_region = 32;

bool is_region(std::string_view text) {
  return !text.empty() && text.size() <= longest_region && text.front() >= 'a' && text.front() <= 'z' &&
         text.back() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// "amazonaws.com" of "bucket.s3.eu-west-1.amazonaws.com"; the whole host where the region is no part of it.
std::string_view domain_of(std::string_view host, std::string_view region) {
  const std::string label = "." + std::string(region) + ".";
  const auto at = host.rfind(label);
  return at == std::string_view::npos ? host : host.substr(at + label.size());
}

bool is_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

}  // namespace

bool is_misdirected(const request& r, const response& answer) {
  if (answer.status == 301 || answer.status == 307) return true;
  if (answer.status != 400) return false;
  if (r.method == "HEAD") return answer.body.empty();
  const std::string code = error_code(answer);
  if (code == "IllegalLocationConstraintException") return true;
  return code == "AuthorizationHeaderMalformed" && !region_named_by(answer).empty();
}

std::string region_named_by(const response& answer) {
  std::string region(answer.header_value("x-amz-bucket-region"));
  if (region.empty()) region = child_text(answer.body, "Error", "Region").value_or("");
  return is_region(region) ? region : std::string{};
}

bool same_domain(const aws::endpoint& a, const aws::endpoint& b) {
  return domain_of(a.base.where.host, a.signing_region) == domain_of(b.base.where.host, b.signing_region);
}

std::optional<origin> temporary_host(const request& r, const response& answer) {
  constexpr std::string_view scheme = "https://";
  std::string_view location = answer.header_value("Location");
  if (answer.status != 307 || !r.to.tls || r.to.port != 443 || !location.starts_with(scheme)) return std::nullopt;
  location.remove_prefix(scheme.size());
  const std::string_view host = location.substr(0, location.find('/'));
  if (location.substr(host.size()) != r.target || !is_host(host)) return std::nullopt;
  const std::string_view ours = r.to.host;
  const std::string_view domain = domain_of(ours, r.signing_region);
  const auto service = ours.rfind("s3." + r.signing_region + ".");
  if (domain == ours || service == std::string_view::npos) return std::nullopt;
  const std::string_view bucket = ours.substr(0, service);  // with its dot; empty in path style
  const std::string domain_behind_dot = "." + std::string(domain);
  if (!host.starts_with(bucket) || !host.ends_with(domain_behind_dot)) return std::nullopt;
  if (host.size() <= bucket.size() + domain_behind_dot.size()) return std::nullopt;
  const auto name = host.substr(bucket.size(), host.size() - bucket.size() - domain_behind_dot.size());
  if (!name.starts_with("s3.") && !name.starts_with("s3-")) return std::nullopt;
  return origin{true, std::string(host), 443};
}

}  // namespace dynabackup::s3
