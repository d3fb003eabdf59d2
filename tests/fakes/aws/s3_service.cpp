#include "fakes/aws/s3_service.hpp"

#include <exception>

namespace dynabackup::fakes::s3_store {
namespace {

refusal not_implemented() {
  return {501, "NotImplemented", "A header or query you provided implies functionality that is not implemented."};
}

refusal method_not_allowed() {
  return {405, "MethodNotAllowed", "The specified method is not allowed against this resource."};
}

}  // namespace

refusal access_denied() { return {403, "AccessDenied", "Access Denied"}; }

response s3_service::handle(const request& r) {
  const bool head = r.method == "HEAD";
  try {
    return route(s3_call(r));
  } catch (const refusal& why) {
    return replies_.refuse(why, head);
  } catch (const std::exception& failure) {
    return replies_.refuse({500, "InternalError", failure.what()}, head);
  }
}

response s3_service::route(const s3_call& call) {
  if (!call.key.empty()) return route_object(call);
  if (!call.bucket.empty()) return route_bucket(call);
  if (call.r.method == "GET") return list_buckets();
  throw method_not_allowed();
}

response s3_service::route_bucket(const s3_call& call) {
  const std::string& method = call.r.method;
  if (method == "GET") {
    if (call.parameter_or("list-type", "") == "2") return list_objects_v2(call);
    if (call.parameter("versions") != nullptr) return list_object_versions(call);
    if (call.parameter("versioning") != nullptr) return get_bucket_versioning(call);
    if (call.parameter("lifecycle") != nullptr) return get_bucket_lifecycle(call);
    if (call.parameter("uploads") != nullptr) return list_uploads(call);
    if (call.parameter("location") != nullptr) return get_bucket_location(call);
    throw not_implemented();
  }
  if (method == "HEAD") return head_bucket(call);
  if (method == "PUT" && call.parameter("versioning") != nullptr) return put_bucket_versioning(call);
  if (method == "PUT" && call.parameter("lifecycle") != nullptr) return put_bucket_lifecycle(call);
  if (method == "DELETE" && call.parameter("lifecycle") != nullptr) return delete_bucket_lifecycle(call);
  if (method == "PUT" && call.plain()) return create_bucket(call);
  if (method == "DELETE" && call.plain()) return delete_bucket(call);
  if (method == "POST" && call.parameter("delete") != nullptr) return delete_objects(call);
  throw not_implemented();
}

response s3_service::route_object(const s3_call& call) {
  const std::string& method = call.r.method;
  const bool in_upload = !call.plain() && call.parameter("uploadId") != nullptr;
  if (method == "PUT") {
    if (in_upload) return upload_part(call);
    if (!call.header_value("x-amz-copy-source").empty()) throw not_implemented();
    return put_object(call);
  }
  if (method == "GET") return in_upload ? list_parts(call) : get_object(call);
  if (method == "HEAD") return get_object(call);
  if (method == "DELETE") return in_upload ? abort_upload(call) : delete_object(call);
  if (method != "POST") throw method_not_allowed();
  if (in_upload) return complete_upload(call);
  if (call.parameter("uploads") != nullptr) return create_upload(call);
  throw not_implemented();
}

bucket& s3_service::bucket_of(const s3_call& call) {
  const auto found = buckets_.find(call.bucket);
  if (found == buckets_.end()) {
    throw refusal{404, "NoSuchBucket", "The specified bucket does not exist", {{"BucketName", call.bucket}}};
  }
  return found->second;
}

bucket& s3_service::make_bucket(const std::string& name) {
  bucket& made = buckets_.try_emplace(name).first->second;
  made.created = replies_.now();
  return made;
}

const bucket* s3_service::find_bucket(const std::string& name) const {
  const auto found = buckets_.find(name);
  return found == buckets_.end() ? nullptr : &found->second;
}

const version& s3_service::add(bucket& into, std::string_view key, version v) {
  v.sequence = ++sequence_;
  return into.add(key, std::move(v));
}

const version& s3_service::store(bucket& into, std::string_view key, std::string body, attributes what) {
  version v;
  v.tag.md5 = md5_of(body);
  v.body = std::make_shared<const std::string>(std::move(body));
  v.what = std::move(what);
  v.last_modified = replies_.now();
  return add(into, key, std::move(v));
}

std::optional<version> s3_service::bury(bucket& in, std::string_view key) {
  if (in.versioning == versioning_state::never) {
    in.erase(key, "null");
    return std::nullopt;
  }
  version marker;
  marker.last_modified = replies_.now();
  return add(in, key, std::move(marker));
}

}  // namespace dynabackup::fakes::s3_store
