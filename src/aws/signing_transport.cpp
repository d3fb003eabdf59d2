#include "aws/signing_transport.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "aws/service_error.hpp"
#include "crypto/sha256.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::aws {
namespace {

// Above this TLS guards a body well enough, and hashing it would cost more than sending it.
constexpr std::size_t largest_hashed_body = std::size_t{1} << 20;
// A difference below it cannot be why a signature was refused.
constexpr std::chrono::minutes suspicious_skew{4};
// What took longer stood still in between (a suspended machine, a stopped process): the signature may have been refused
// for its age, and the answer's Date is nothing to go by.
constexpr std::chrono::minutes longest_exchange{4};

std::string payload_hash_of(const request& r, const sigv4::rules& dialect) {
  if (dialect.content_sha256_header && r.to.tls && r.body.size() > largest_hashed_body) {
    return std::string(sigv4::unsigned_payload);
  }
  return crypto::sha256_hex(r.body);
}

std::string code_of(const response& answer) {
  const auto start = answer.body.find_first_not_of(" \t\r\n");
  const bool xml = start != std::string::npos && answer.body[start] == '<';
  return (xml ? read_xml_failure(answer) : read_json_failure(answer)).code;
}

// Codes behind which a wrong clock may be. A HEAD has no code of its own: a bare 403.
bool may_be_clock(const response& answer) {
  constexpr std::array<std::string_view, 7> codes{
      "AuthFailure",          "InvalidSignatureException", "RequestExpired", "RequestInTheFuture",
      "RequestTimeTooSkewed", "SignatureDoesNotMatch",     "Forbidden"};
  if (answer.status != 400 && answer.status != 401 && answer.status != 403) return false;
  const std::string code = code_of(answer);
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// An expired token under a HEAD is a 400 without a word; so is a wrong region, which S3 then names.
bool may_be_expired_token(const request& r, const response& answer, const credentials& who, std::string_view region) {
  const auto named = answer.header_value("x-amz-bucket-region");
  return r.method == "HEAD" && answer.status == 400 && answer.body.empty() && !who.session_token.empty() &&
         (named.empty() || named == region);
}

bool refuses_keys(const request& r, const response& answer, const credentials& who, std::string_view region) {
  if (answer.status != 400 && answer.status != 401 && answer.status != 403) return false;
  return is_refusal_of_keys(code_of(answer)) || may_be_expired_token(r, answer, who, region);
}

void tell_source(response& answer, const credentials& who) {
  // In front: whatever a server might send by that name, ours is the one that is found.
  answer.headers.insert(answer.headers.begin(), {std::string(keys_header), who.source});
}

}  // namespace

signing_transport::signing_transport(transport& inner, credential_provider& who, runtime::clock& clock,
                                     std::string region, std::string service, sigv4::rules dialect)
    : inner_(inner),
      who_(who),
      clock_(clock),
      region_(std::move(region)),
      service_(std::move(service)),
      dialect_(dialect) {}

task<response> signing_transport::send(request& r) {
  const std::string payload_hash = payload_hash_of(r, dialect_);
  bool signed_anew = false, clock_mended = false, keys_renewed = false;
  for (;;) {
    const auto used_skew = skew_;  // others in flight may correct it meanwhile
    const credentials who = co_await who_.current();
    const auto signed_at = clock_.now();
    response answer = co_await send_signed(r, payload_hash, who);
    const bool stood_still = std::chrono::abs(clock_.now() - signed_at) >= longest_exchange;
    if (!signed_anew && stood_still && may_be_clock(answer)) {
      signed_anew = true;
      continue;
    }
    if (!clock_mended && !stood_still && correct_clock(answer, used_skew)) {
      clock_mended = true;
      continue;
    }
    if (!refuses_keys(r, answer, who, region_of(r))) co_return answer;
    bool renewed = false;
    if (!keys_renewed) renewed = co_await who_.refresh(who);
    if (!renewed) {
      tell_source(answer, who);
      co_return answer;
    }
    keys_renewed = true;
  }
}

task<response> signing_transport::send_signed(request& r, const std::string& payload_hash, const credentials& who) {
  const sigv4::scope where{region_of(r), service_, text::amz_date(clock_.now() + skew_)};
  sigv4::sign(r, who, where, payload_hash, dialect_, &keys_);
  return inner_.send(r);
}

bool signing_transport::correct_clock(const response& answer, std::chrono::milliseconds used_skew) {
  if (answer.status < 400 || !may_be_clock(answer)) return false;
  const std::optional<text::millis> theirs = text::parse_http_date(answer.header_value("date"));
  if (!theirs) return false;
  const auto skew = *theirs - clock_.now();
  if (std::chrono::abs(skew - used_skew) < suspicious_skew) return false;
  skew_ = skew;
  return true;
}

}  // namespace dynabackup::aws
