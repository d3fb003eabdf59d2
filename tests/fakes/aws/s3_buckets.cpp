// The service and its buckets: ListBuckets, CreateBucket, HeadBucket, versioning, lifecycle, DeleteObjects.
#include <algorithm>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "fakes/aws/s3_service.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

constexpr std::size_t most_deletions = 1000;

refusal malformed_xml() {
  return {400, "MalformedXML",
          "The XML you provided was not well-formed or did not validate against our published schema"};
}

pugi::xml_node root_of(pugi::xml_document& parsed, const std::string& body, std::string_view name) {
  if (!parsed.load_buffer(body.data(), body.size(), pugi::parse_default | pugi::parse_ws_pcdata_single,
                          pugi::encoding_utf8)) {
    throw malformed_xml();
  }
  const pugi::xml_node root = parsed.document_element();
  if (root.name() != name) throw malformed_xml();
  return root;
}

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

}  // namespace

response s3_service::list_buckets() {
  std::string entries;
  for (const auto& [name, b] : buckets_) {
    entries += "<Bucket>";
    append_element(entries, "Name", name);
    append_element(entries, "CreationDate", list_time(b.created));
    entries += "</Bucket>";
  }
  return replies_.xml(
      document("ListAllMyBucketsResult", "<Owner><ID>fake</ID></Owner><Buckets>" + entries + "</Buckets>"));
}

response s3_service::create_bucket(const s3_call& call) {
  if (!is_bucket_name(call.bucket)) {
    throw refusal{400, "InvalidBucketName", "The specified bucket is not valid.", {{"BucketName", call.bucket}}};
  }
  if (buckets_.contains(call.bucket)) {
    throw refusal{409,
                  "BucketAlreadyOwnedByYou",
                  "Your previous request to create the named bucket succeeded and you already own it.",
                  {{"BucketName", call.bucket}}};
  }
  make_bucket(call.bucket);
  response answer = replies_.plain(200);
  answer.headers.push_back({"Location", "/" + call.bucket});
  return answer;
}

response s3_service::delete_bucket(const s3_call& call) {
  const bucket& in = bucket_of(call);
  if (!in.keys.empty()) {
    throw refusal{409,
                  "BucketNotEmpty",
                  in.versioning == versioning_state::never
                      ? "The bucket you tried to delete is not empty"
                      : "The bucket you tried to delete is not empty. You must delete all versions in the bucket.",
                  {{"BucketName", call.bucket}}};
  }
  buckets_.erase(call.bucket);
  return replies_.plain(204);
}

response s3_service::head_bucket(const s3_call& call) {
  bucket_of(call);
  response answer = replies_.plain(200);
  answer.headers.push_back({"x-amz-bucket-region", traits_.region});
  answer.headers.push_back({"Content-Type", "application/xml"});
  return answer;
}

response s3_service::get_bucket_location(const s3_call& call) {
  bucket_of(call);
  return replies_.xml(document("LocationConstraint", traits_.region == "us-east-1" ? "" : traits_.region));
}

response s3_service::get_bucket_versioning(const s3_call& call) {
  std::string status;
  switch (bucket_of(call).versioning) {
    case versioning_state::never:
      break;
    case versioning_state::enabled:
      append_element(status, "Status", "Enabled");
      break;
    case versioning_state::suspended:
      append_element(status, "Status", "Suspended");
      break;
  }
  return replies_.xml(document("VersioningConfiguration", status));
}

response s3_service::put_bucket_versioning(const s3_call& call) {
  bucket& in = bucket_of(call);
  pugi::xml_document parsed;
  const std::string_view status = root_of(parsed, call.r.body, "VersioningConfiguration").child_value("Status");
  if (status != "Enabled" && status != "Suspended") throw malformed_xml();
  in.versioning = status == "Enabled" ? versioning_state::enabled : versioning_state::suspended;
  return replies_.plain(200);
}

response s3_service::get_bucket_lifecycle(const s3_call& call) {
  const bucket& in = bucket_of(call);
  if (in.lifecycle.empty()) {
    throw refusal{404,
                  "NoSuchLifecycleConfiguration",
                  "The lifecycle configuration does not exist",
                  {{"BucketName", call.bucket}}};
  }
  return replies_.xml(in.lifecycle);
}

/// Rules are kept and told, never carried out.
response s3_service::put_bucket_lifecycle(const s3_call& call) {
  bucket& in = bucket_of(call);
  pugi::xml_document parsed;
  if (!root_of(parsed, call.r.body, "LifecycleConfiguration").child("Rule")) throw malformed_xml();
  in.lifecycle = call.r.body;
  return replies_.plain(200);
}

response s3_service::delete_bucket_lifecycle(const s3_call& call) {
  bucket_of(call).lifecycle.clear();
  return replies_.plain(204);
}

response s3_service::delete_objects(const s3_call& call) {
  bucket& in = bucket_of(call);
  const bool summed = std::ranges::any_of(call.r.headers, [](const header& h) {
    constexpr std::string_view checksum = "x-amz-checksum-";
    return is_header(h.name, "content-md5") ||
           (h.name.size() > checksum.size() && is_header(h.name.substr(0, checksum.size()), checksum));
  });
  if (!summed) throw refusal{400, "InvalidRequest", "Missing required header for this request: Content-MD5"};
  checked_md5(call);
  pugi::xml_document parsed;
  const pugi::xml_node root = root_of(parsed, call.r.body, "Delete");
  const auto objects = root.children("Object");
  const auto count = static_cast<std::size_t>(std::distance(objects.begin(), objects.end()));
  if (count == 0 || count > most_deletions) throw malformed_xml();
  const bool quiet = root.child_value("Quiet") == std::string_view("true");
  std::string entries;
  for (const pugi::xml_node object : objects) {
    const std::string key = object.child_value("Key");
    const std::string version_id = object.child_value("VersionId");
    try {
      check_delete_condition(in, key, object.child_value("ETag"));
      const removal done = remove_one(in, key, version_id);
      if (quiet) continue;
      entries += "<Deleted>";
      append_element(entries, "Key", key);
      if (!version_id.empty()) append_element(entries, "VersionId", version_id);
      if (done.marker) append_element(entries, "DeleteMarker", "true");
      if (done.marker) append_element(entries, "DeleteMarkerVersionId", done.version_id);
      entries += "</Deleted>";
    } catch (const refusal& why) {
      entries += "<Error>";
      append_element(entries, "Key", key);
      if (!version_id.empty()) append_element(entries, "VersionId", version_id);
      append_element(entries, "Code", why.code);
      append_element(entries, "Message", why.message);
      entries += "</Error>";
    }
  }
  return replies_.xml(document("DeleteResult", entries));
}

}  // namespace dynabackup::fakes::s3_store
