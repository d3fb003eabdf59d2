// S3 in memory, with AWS's semantics: versions, delete markers, conditions, multipart uploads, lists. One request in,
// its effect and its answer out; time, faults and sockets are other people's business.
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dynabackup/http.hpp"

namespace dynabackup::fakes {

using wall_time = std::chrono::sys_time<std::chrono::milliseconds>;

/// Where stores differ from AWS.
struct s3_traits {
  bool conditions_enforced = true;  ///< If-None-Match and If-Match on writes; false: ignored in versioned buckets
  bool removal_allowed = true;      ///< false: deleting a version by id is AccessDenied (Object Lock, permissions)
  bool markers_allowed = true;      ///< false: DeleteObject without version id is AccessDenied as well
  int list_page = 1000;             ///< most keys or versions a list answers
  std::size_t smallest_part = std::size_t{5} << 20;  ///< of a multipart upload, but for the last
  std::string region = "us-east-1";
};

struct object_version {
  std::string id;
  std::shared_ptr<const std::string> body;  ///< null for a delete marker
  std::string etag;
  std::map<std::string, std::string> meta;
  std::string content_type;
  wall_time last_modified{};
  [[nodiscard]] bool delete_marker() const { return body == nullptr; }
};

class fake_s3 {
 public:
  explicit fake_s3(std::function<wall_time()> now, s3_traits traits = {});
  ~fake_s3();

  /// Path-style requests (/bucket/key?query). Never throws; what S3 refuses is an answer as S3 gives it.
  response handle(const request& r);

  // What a test arranges and looks at without HTTP.
  void create_bucket(const std::string& bucket, bool versioned);
  /// Puts an object as the recorder would; returns the version id.
  std::string put(const std::string& bucket, const std::string& key, std::string body,
                  std::map<std::string, std::string> meta);
  /// DeleteObject without a version id; returns the marker's version id.
  std::string remove(const std::string& bucket, const std::string& key);
  /// Versions of a key, newest first; empty when there is none.
  [[nodiscard]] std::vector<object_version> versions(const std::string& bucket, const std::string& key) const;
  /// key → current version, delete markers left out.
  [[nodiscard]] std::map<std::string, object_version> current(const std::string& bucket,
                                                              const std::string& prefix) const;
  /// Each key in order, with the number of its versions and the current one's ETag, empty for a marker.
  void for_each_key(
      const std::string& bucket,
      const std::function<void(const std::string& key, std::size_t versions, const std::string& etag)>& tell) const;
  [[nodiscard]] std::size_t open_uploads(const std::string& bucket) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace dynabackup::fakes
