// The S3 REST calls we make (API version 2006-03-01). Outcomes a caller must decide on come back as values (no such
// object, precondition failed); everything else S3 refuses is a service_error with code and request id.
#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/transport.hpp"
#include "s3/answer.hpp"
#include "s3/lifecycle.hpp"
#include "s3/listing.hpp"
#include "s3/object_url.hpp"

namespace dynabackup::s3 {

struct put_options {
  metadata meta{};
  std::string content_type = "application/json";
  bool if_none_match = false;                    ///< If-None-Match: *
  std::string if_match{};                        ///< ETag without quotes: only over that current version
  std::chrono::milliseconds attempt_timeout{0};  ///< 0: as the body's size asks for
  std::function<void()> before_attempt{};        ///< request::before_attempt
};

struct put_result {
  bool stored = false;  ///< false: the condition does not hold (412; against if_match also 404)
  std::string etag;
  std::string version_id;  ///< empty in an unversioned bucket
  bool unsettled = false;  ///< response::unsettled: this PUT may take effect once more
};

struct begun_upload {
  std::string id;
  bool unsettled = false;  ///< response::unsettled: there may be, or come to be, another one that nobody knows
};

struct marker_result {
  bool left = false;       ///< false: against an ETag, that something else is current, or nothing
  std::string version_id;  ///< of the delete marker; empty in an unversioned bucket
  bool unsettled = false;  ///< as above
};

struct get_options {
  std::optional<byte_range> range{};
  std::string if_match{};  ///< ETag without quotes; a mismatch is a service_error (412)
  std::string version_id{};
  byte_budget* budget = nullptr;
  std::chrono::milliseconds attempt_timeout{0};  ///< 0: as usual
};

/// Of one attempt at a request without a body.
struct attempt_options {
  std::chrono::milliseconds timeout{0};    ///< 0: as usual
  std::function<void()> before_attempt{};  ///< request::before_attempt
};

struct object_body {
  object_head head;  ///< size = of the whole object, also for a range
  response answer;   ///< the bytes, with their memory charge
};

struct part {
  int number = 0;
  std::string etag;
};

struct list_options {
  std::string prefix{};
  std::optional<std::string> token{};  ///< continuation token of the page before
  std::string start_after{};           ///< only keys behind this one; ignored by S3 once there is a token
  int max_keys = 1000;
};

enum class versioning { never_enabled, enabled, suspended };

class client {
 public:
  client(transport& network, client_settings settings);

  /// An ambiguous retry may meet its own first success as 412: the caller compares, it never assumes.
  task<put_result> put_object(std::string bucket, std::string key, std::string body, put_options options);
  task<std::optional<object_body>> get_object(std::string bucket, std::string key, get_options options);
  task<std::optional<object_head>> head_object(std::string bucket, std::string key, std::string version_id = {},
                                               attempt_options attempts = {});
  /// Deleting what is not there is success. With a version id: that version, for good. Returns the delete marker's id.
  task<std::string> delete_object(std::string bucket, std::string key, std::string version_id = {},
                                  attempt_options attempts = {});
  /// A delete marker, also over nothing; with an ETag only over the current version that has it.
  task<marker_result> leave_marker(std::string bucket, std::string key, std::string if_match = {},
                                   attempt_options attempts = {});
  task<list_page> list_objects_v2(std::string bucket, list_options options);
  task<version_page> list_object_versions(std::string bucket, std::string prefix, std::optional<std::string> key_marker,
                                          std::string version_id_marker, int max_keys = 1000);
  task<versioning> get_bucket_versioning(std::string bucket);
  /// The rules that are switched on; none where the bucket, or the store, knows none.
  task<std::vector<lifecycle_rule>> get_bucket_lifecycle(std::string bucket);

  task<begun_upload> create_multipart_upload(std::string bucket, std::string key, put_options options);
  task<part> upload_part(std::string bucket, std::string key, std::string upload_id, int number, std::string body);
  /// A 200 may hide an error; a lost answer may hide a success (404 NoSuchUpload on the retry): both are told apart.
  task<put_result> complete_multipart_upload(std::string bucket, std::string key, std::string upload_id,
                                             std::vector<part> parts, bool if_none_match);
  /// Uploads under way or abandoned whose key begins with `prefix`; the first 1,000 of them.
  task<std::vector<listed_upload>> list_multipart_uploads(std::string bucket, std::string prefix);
  /// Repeats until the upload is gone.
  task<void> abort_multipart_upload(std::string bucket, std::string key, std::string upload_id);

  /// The bucket's clock: the Date of the latest answer, the epoch before the first.
  [[nodiscard]] time_point service_time() const { return service_time_; }

 private:
  request make(std::string_view method, const std::string& bucket, std::string_view key, std::string_view query);
  /// Follows the bucket to its region: at most once a request, signed anew, remembered for the bucket.
  task<response> send(request& r, const std::string& bucket);
  task<response> exchange(request& r);
  const aws::endpoint& place_of(const std::string& bucket);
  task<std::string> region_of(const std::string& bucket, const response& misdirected);
  bool aim(request& r, const std::string& bucket, const std::string& region, const response& misdirected);
  static void limit(request& r, attempt_options attempts);
  void describe_write(request& r, const put_options& options) const;
  /// Room for slow lines: a minute and 256 KiB a second.
  static std::chrono::milliseconds transfer_timeout(std::uint64_t bytes);

  transport& network_;
  client_settings settings_;
  std::map<std::string, aws::endpoint> places_;  ///< by bucket: decided once, and again when S3 names another region
  time_point service_time_{};
};

}  // namespace dynabackup::s3
