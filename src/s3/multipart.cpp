// The multipart half of s3::client.
#include <algorithm>
#include <fmt/format.h>

#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "s3/client.hpp"

namespace dynabackup::s3 {
namespace {

/// A 200 that holds an error stands for a 500 (CompleteMultipartUpload, "Errors").
constexpr int max_completions = 4;
constexpr int max_aborts = 8;
/// S3 may be silent for minutes while it joins the parts.
constexpr std::chrono::minutes completion_timeout{10};

std::string upload_query(std::string_view upload_id) {
  std::string query;
  add_parameter(query, "uploadId", upload_id);
  return query;
}

void append_xml_text(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      out += c;
    }
  }
}

std::string completion_body(const std::vector<part>& parts) {
  std::string body = R"(<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">)";
  for (const part& p : parts) {
    body += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>\"", p.number);
    append_xml_text(body, p.etag);
    body += "\"</ETag></Part>";
  }
  return body + "</CompleteMultipartUpload>";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// What S3 gives the finished object: the MD5 of the parts' MD5s. nullopt where ETags are no MD5s (SSE-KMS).
std::optional<std::string> expected_etag(const std::vector<part>& parts) {
  std::string digests;
  for (const part& p : parts) {
    if (p.etag.size() != 32) return std::nullopt;
    for (std::size_t i = 0; i < p.etag.size(); i += 2) {
      const int high = hex_digit(p.etag[i]);
      const int low = hex_digit(p.etag[i + 1]);
      if (high < 0 || low < 0) return std::nullopt;
      digests += static_cast<char>(high * 16 + low);
    }
  }
  return fmt::format("{}-{}", crypto::md5_hex(digests), parts.size());
}

bool no_such_upload(const response& answer) { return answer.status == 404 && error_code(answer) == "NoSuchUpload"; }

}  // namespace

/// POST /key?uploads (CreateMultipartUpload).
task<begun_upload> client::create_multipart_upload(std::string bucket, std::string key, put_options options) {
  request r = make("POST", bucket, key, "uploads=");
  describe_write(r, options);
  const response answer = co_await send(r, bucket);
  const call_name call{"CreateMultipartUpload", std::move(bucket), std::move(key)};
  require_success(answer, call);
  auto upload_id = child_text(answer.body, "InitiateMultipartUploadResult", "UploadId");
  if (!upload_id || upload_id->empty()) throw_failure(answer, call);
  co_return begun_upload{std::move(*upload_id), answer.unsettled};
}

/// PUT /key?partNumber=N&uploadId=U, Content-MD5 (UploadPart).
task<part> client::upload_part(std::string bucket, std::string key, std::string upload_id, int number,
                               std::string body) {
  request r = make("PUT", bucket, key, fmt::format("partNumber={}&{}", number, upload_query(upload_id)));
  r.headers.push_back({"Content-MD5", crypto::md5_base64(body)});
  r.attempt_timeout = transfer_timeout(body.size());
  r.body = std::move(body);
  const response answer = co_await send(r, bucket);
  const call_name call{"UploadPart", std::move(bucket), std::move(key)};
  require_success(answer, call);
  co_return part{number, etag_of(answer, call)};
}

/// POST /key?uploadId=U, If-None-Match: * (CompleteMultipartUpload).
task<put_result> client::complete_multipart_upload(std::string bucket, std::string key, std::string upload_id,
                                                   std::vector<part> parts, bool if_none_match) {
  std::sort(parts.begin(), parts.end(), [](const part& a, const part& b) { return a.number < b.number; });
  request r = make("POST", bucket, key, upload_query(upload_id));
  r.headers.push_back({"Content-Type", "application/xml"});
  if (if_none_match) r.headers.push_back({"If-None-Match", "*"});
  r.body = completion_body(parts);
  r.attempt_timeout = completion_timeout;
  const call_name call{"CompleteMultipartUpload", bucket, key};
  response answer;
  for (int sent = 0; sent < max_completions; ++sent) {
    answer = co_await send(r, bucket);
    if (answer.status == 412 && if_none_match) co_return put_result{};
    if (no_such_upload(answer)) break;
    require_success(answer, call);
    const auto etag = child_text(answer.body, "CompleteMultipartUploadResult", "ETag");
    if (etag && !etag->empty()) co_return put_result{true, unquoted(*etag), version_id_of(answer), answer.unsettled};
    // No repetition of this request can succeed: the parts would have to be uploaded anew.
    if (error_code(answer) == "ConditionalRequestConflict") throw_failure(answer, call);
  }
  if (!no_such_upload(answer)) throw_failure(answer, call);
  // Either the upload is lost, or it was completed by a request whose answer was: the object itself tells.
  const std::optional<object_head> head = co_await head_object(bucket, key);
  if (!head) throw_failure(answer, call);
  // An opaque ETag (SSE-KMS) proves nothing: the caller compares, as after a 412.
  if (head->etag != expected_etag(parts)) co_return put_result{};
  co_return put_result{true, head->etag, head->version_id, answer.unsettled};
}

/// GET /?uploads&prefix=… (ListMultipartUploads).
task<std::vector<listed_upload>> client::list_multipart_uploads(std::string bucket, std::string prefix) {
  std::string query = "uploads=&encoding-type=url&max-uploads=1000";
  add_parameter(query, "prefix", prefix);
  request r = make("GET", bucket, {}, query);
  r.max_response_bytes = std::size_t{16} << 20;
  const response answer = co_await send(r, bucket);
  require_success(answer, {"ListMultipartUploads", std::move(bucket), {}});
  co_return read_upload_page(answer.body);
}

/// DELETE /key?uploadId=U (AbortMultipartUpload) until GET /key?uploadId=U (ListParts) says NoSuchUpload: a part that
/// was on its way may land behind an abort and would be stored, and paid for, for good.
task<void> client::abort_multipart_upload(std::string bucket, std::string key, std::string upload_id) {
  const std::string query = upload_query(upload_id);
  for (int sent = 0; sent < max_aborts; ++sent) {
    request abort = make("DELETE", bucket, key, query);
    const response aborted = co_await send(abort, bucket);
    if (!no_such_upload(aborted)) require_success(aborted, {"AbortMultipartUpload", bucket, key});
    request list = make("GET", bucket, key, query + "&max-parts=1");
    const response listed = co_await send(list, bucket);
    if (no_such_upload(listed)) co_return;
    // Whoever may abort but not look has done what he can.
    if (listed.status == 403) co_return;
    require_success(listed, {"ListParts", bucket, key});
  }
  throw error(fmt::format("multipart upload {} of {}/{} is still there after {} aborts; abort it by hand", upload_id,
                          bucket, key, max_aborts));
}

}  // namespace dynabackup::s3
