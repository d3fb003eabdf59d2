// What include/dynabackup/ declares outside the floors: s3_location and the errors' texts.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "dynabackup/error.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/s3_location.hpp"

namespace dynabackup {
namespace {

constexpr std::size_t longest_message = 500;

/// The IAM action behind each call we make.
struct permission {
  std::string_view operation;
  std::string_view action;
};
constexpr std::array<permission, 23> permissions{{
    {"BatchWriteItem", "dynamodb:BatchWriteItem"},
    {"DescribeStream", "dynamodb:DescribeStream"},
    {"DescribeTable", "dynamodb:DescribeTable"},
    {"GetItem", "dynamodb:GetItem"},
    {"GetRecords", "dynamodb:GetRecords"},
    {"GetShardIterator", "dynamodb:GetShardIterator"},
    {"Scan", "dynamodb:Scan"},
    {"UpdateTable", "dynamodb:UpdateTable"},
    {"AssumeRole", "sts:AssumeRole"},
    {"AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity"},
    {"AbortMultipartUpload", "s3:AbortMultipartUpload"},
    {"CompleteMultipartUpload", "s3:PutObject"},
    {"CreateMultipartUpload", "s3:PutObject"},
    {"DeleteObject", "s3:DeleteObject (s3:DeleteObjectVersion for a version)"},
    {"GetBucketLifecycleConfiguration", "s3:GetLifecycleConfiguration"},
    {"GetBucketVersioning", "s3:GetBucketVersioning"},
    {"GetObject", "s3:GetObject, and s3:ListBucket, without which a missing object looks like a forbidden one"},
    {"HeadBucket", "s3:ListBucket"},
    {"HeadObject", "s3:GetObject, and s3:ListBucket, without which a missing object looks like a forbidden one"},
    {"ListObjectVersions", "s3:ListBucketVersions"},
    {"ListObjectsV2", "s3:ListBucket"},
    {"PutObject", "s3:PutObject"},
    {"UploadPart", "s3:PutObject"},
}};

std::string action_for(std::string_view operation) {
  const auto row = std::ranges::find(permissions, operation, &permission::operation);
  return row != permissions.end() ? std::string(row->action) : std::string(operation);
}

/// What to do next, by error code; a code of the table also stands for those that begin with it.
struct advice {
  std::string_view code;
  std::string_view text;
};
constexpr std::string_view renew = "The temporary credentials have run out: renew them where they come from";
constexpr std::string_view check_keys = "Check the access key and its secret, and that both belong to this endpoint";
constexpr std::string_view set_s3_region = "The bucket is in another region: set S3_REGION to it";
constexpr std::array<advice, 16> advices{{
    {"AccessDenied", "Check that IAM and the resource's own policy allow these credentials "},
    {"AllAccessDisabled", "The bucket's owner has switched it off"},
    {"ExpiredToken", renew},
    {"InvalidToken", renew},
    {"TokenRefreshRequired", renew},
    {"InvalidAccessKeyId", check_keys},
    {"InvalidClientTokenId", check_keys},
    {"UnrecognizedClientException", check_keys},
    {"SignatureDoesNotMatch", check_keys},
    {"InvalidSignatureException", "Check the secret key and this machine's clock"},
    {"RequestTimeTooSkewed", "Set this machine's clock"},
    {"NoSuchBucket", "Check the bucket's name"},
    {"ResourceNotFoundException", "Check the table's name and the region"},
    {"ConditionalRequestConflict", "Somebody else wrote this name at the same moment: run it again"},
    {"PermanentRedirect", set_s3_region},
    {"AuthorizationHeaderMalformed", set_s3_region},
}};

std::string hint_for(const service_failure& f) {
  const auto row =
      std::ranges::find_if(advices, [&](const advice& a) { return std::string_view(f.code).starts_with(a.code); });
  if (row == advices.end()) return {};
  return std::string(row->text) + (row->code == "AccessDenied" ? action_for(f.operation) : "");
}

std::string one_line(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return out;
}

/// The service's own text, made fit to print. DynamoDB's answer to a wrong signature goes on with the canonical
/// request, which holds the session token: that part is left out.
std::string fit_message(std::string_view message) {
  message.remove_prefix(std::min(message.find_first_not_of(" \t\r\n"), message.size()));
  message = message.substr(0, message.find_first_of("\r\n"));
  for (const std::string_view dump : {"The Canonical String", "The String-to-Sign", "x-amz-security-token:"})
    message = message.substr(0, message.find(dump));
  if (message.size() > longest_message) {
    std::size_t end = longest_message;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xc0) == 0x80) --end;
    message = message.substr(0, end);
  }
  while (message.ends_with(' ')) message.remove_suffix(1);
  return one_line(message);
}

std::string sentence(std::string text) {
  while (text.ends_with('.')) text.pop_back();
  return text;
}

service_failure made_fit(service_failure f) {
  f.message = fit_message(f.message);
  return f;
}

/// "<operation> on <resource>: <code> (HTTP <status>[, request id <id>][, after N attempts]): <message>. <hint>"
std::string describe(const service_failure& f) {
  std::string out = f.operation;
  if (!f.resource.empty()) out += " on " + one_line(f.resource);
  out += ": " + one_line(f.code) + " (HTTP " + std::to_string(f.status);
  if (!f.request_id.empty()) out += ", request id " + one_line(f.request_id);
  if (f.attempts > 1) out += ", after " + std::to_string(f.attempts) + " attempts";
  out += ")";
  if (const std::string message = fit_message(f.message); !message.empty()) out += ": " + sentence(message);
  if (const std::string hint = hint_for(f); !hint.empty()) out += ". " + hint;
  if (!f.keys.empty()) out += ". Keys in use: " + one_line(f.keys);
  return out;
}

}  // namespace

s3_location s3_location::of(std::string bucket, std::string prefix) {
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  return {.bucket = std::move(bucket), .prefix = std::move(prefix)};
}

service_error::service_error(service_failure f) : error(describe(f)), failure(made_fit(std::move(f))) {}

void recorded::add(const recorded& more) {
  records += more.records;
  puts += more.puts;
  deletes += more.deletes;
  repeats += more.repeats;
  coalesced += more.coalesced;
  dead_letters += more.dead_letters;
  lag = std::max(lag, more.lag);
  if (first_failed || !more.first_failed) return;
  first_failed = more.first_failed;
  failure = more.failure;
}

}  // namespace dynabackup
