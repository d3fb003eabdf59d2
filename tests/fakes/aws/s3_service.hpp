// The operations of fake_s3: one function each, from a request taken apart to an answer. What S3 refuses is thrown.
#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fakes/aws/s3_call.hpp"
#include "fakes/aws/s3_store.hpp"

namespace dynabackup::fakes::s3_store {

class s3_service {
 public:
  s3_service(std::function<wall_time()> now, s3_traits traits) : traits_(std::move(traits)), replies_(std::move(now)) {}

  response handle(const request& r);

  bucket& make_bucket(const std::string& name);
  [[nodiscard]] const bucket* find_bucket(const std::string& name) const;
  /// Makes an object current, whatever was there.
  const version& store(bucket& into, std::string_view key, std::string body, attributes what);
  /// What DeleteObject without a version id does; nothing when no marker was left.
  std::optional<version> bury(bucket& in, std::string_view key);

 private:
  response route(const s3_call& call);
  response route_bucket(const s3_call& call);
  response route_object(const s3_call& call);

  // s3_buckets.cpp
  response list_buckets();
  response create_bucket(const s3_call& call);
  response delete_bucket(const s3_call& call);
  response head_bucket(const s3_call& call);
  response get_bucket_versioning(const s3_call& call);
  response put_bucket_versioning(const s3_call& call);
  response get_bucket_lifecycle(const s3_call& call);
  response put_bucket_lifecycle(const s3_call& call);
  response delete_bucket_lifecycle(const s3_call& call);
  response get_bucket_location(const s3_call& call);
  response delete_objects(const s3_call& call);

  // s3_objects.cpp
  response put_object(const s3_call& call);
  response get_object(const s3_call& call);
  response delete_object(const s3_call& call);

  // s3_lists.cpp
  response list_objects_v2(const s3_call& call);
  response list_object_versions(const s3_call& call);

  // s3_uploads.cpp
  response create_upload(const s3_call& call);
  response upload_part(const s3_call& call);
  response list_parts(const s3_call& call);
  response list_uploads(const s3_call& call);
  response complete_upload(const s3_call& call);
  response abort_upload(const s3_call& call);

  /// Throws NoSuchBucket.
  bucket& bucket_of(const s3_call& call);
  /// Throws what S3 says to a PutObject or CompleteMultipartUpload whose If-None-Match or If-Match is not met.
  void check_write_conditions(const s3_call& call, const bucket& in) const;
  /// As a client asked, by DeleteObject or in a DeleteObjects; throws AccessDenied as the traits want it.
  struct removal {
    std::string version_id;  ///< of the version removed or the marker left
    bool marker = false;     ///< whether that is a delete marker
  };
  removal remove_one(bucket& in, const std::string& key, const std::string& version_id);
  static void check_delete_condition(const bucket& in, const std::string& key, std::string_view if_match);
  const version& add(bucket& into, std::string_view key, version v);

  s3_traits traits_;
  s3_replies replies_;
  std::map<std::string, bucket, std::less<>> buckets_;
  std::uint64_t sequence_ = 0;
  std::uint64_t uploads_ = 0;
};

/// Content type and x-amz-meta-* of a request. Throws MetadataTooLarge.
attributes attributes_of(const s3_call& call);
/// MD5 of the body, held against Content-MD5 and the checksums that a request may carry. Throws BadDigest and others.
md5_digest checked_md5(const s3_call& call);
/// Throws KeyTooLongError.
void check_key(const s3_call& call);
refusal access_denied();

}  // namespace dynabackup::fakes::s3_store
