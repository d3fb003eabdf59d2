// Multipart uploads, from CreateMultipartUpload to CompleteMultipartUpload or AbortMultipartUpload.
#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <functional>
#include <pugixml.hpp>

#include "fakes/aws/s3_service.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

constexpr int most_parts = 10'000;

struct listed_part {
  int number = 0;
  std::string etag;
};

refusal malformed_xml() {
  return {400, "MalformedXML",
          "The XML you provided was not well-formed or did not validate against our published schema"};
}

refusal no_such_upload(const std::string& id) {
  return {404,
          "NoSuchUpload",
          "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or "
          "completed.",
          {{"UploadId", id}}};
}

refusal invalid_part(const std::string& id, int number) {
  return {400,
          "InvalidPart",
          "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
          "specified entity tag may not match the part's entity tag.",
          {{"UploadId", id}, {"PartNumber", std::to_string(number)}}};
}

upload& upload_of(bucket& in, const s3_call& call) {
  const std::string id = call.parameter_or("uploadId", "");
  const auto found = in.uploads.find(id);
  if (found == in.uploads.end() || found->second.key != call.key) throw no_such_upload(id);
  return found->second;
}

std::string part_etag(const stored_part& part) { return entity_tag{part.md5, 0}.text(); }

std::string_view unquoted(std::string_view etag) {
  if (etag.size() > 1 && etag.starts_with('"') && etag.ends_with('"')) return etag.substr(1, etag.size() - 2);
  return etag;
}

std::vector<listed_part> read_completion(const std::string& body) {
  pugi::xml_document parsed;
  if (!parsed.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8)) throw malformed_xml();
  const pugi::xml_node root = parsed.document_element();
  if (root.name() != std::string_view("CompleteMultipartUpload")) throw malformed_xml();
  std::vector<listed_part> parts;
  for (const pugi::xml_node node : root.children("Part")) {
    const std::string_view number = node.child_value("PartNumber");
    listed_part part;
    const auto [end, failure] = std::from_chars(number.data(), number.data() + number.size(), part.number);
    if (failure != std::errc{} || end != number.data() + number.size()) throw malformed_xml();
    part.etag = unquoted(node.child_value("ETag"));
    parts.push_back(std::move(part));
  }
  if (parts.empty()) throw malformed_xml();
  return parts;
}

/// The object that the listed parts make; throws what S3 says when they make none.
version assemble(const upload& from, const std::string& id, const std::vector<listed_part>& parts,
                 std::size_t smallest) {
  if (std::ranges::adjacent_find(parts, std::ranges::greater_equal{}, &listed_part::number) != parts.end()) {
    throw refusal{400, "InvalidPartOrder",
                  "The list of parts was not in ascending order. Parts must be ordered by part number."};
  }
  std::string whole;
  std::string digests;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto found = from.parts.find(parts[i].number);
    if (found == from.parts.end() || part_etag(found->second) != parts[i].etag) throw invalid_part(id, parts[i].number);
    const stored_part& part = found->second;
    if (part.body->size() < smallest && i + 1 != parts.size()) {
      throw refusal{400,
                    "EntityTooSmall",
                    "Your proposed upload is smaller than the minimum allowed size",
                    {{"ProposedSize", std::to_string(part.body->size())},
                     {"MinSizeAllowed", std::to_string(smallest)},
                     {"PartNumber", std::to_string(parts[i].number)}}};
    }
    whole += *part.body;
    digests.append(reinterpret_cast<const char*>(part.md5.data()), part.md5.size());
  }
  version v;
  v.body = std::make_shared<const std::string>(std::move(whole));
  v.tag = {md5_of(digests), static_cast<std::uint32_t>(parts.size())};
  v.what = from.what;
  // For S3, a multipart object is as old as its upload.
  v.last_modified = from.initiated;
  return v;
}

}  // namespace

response s3_service::create_upload(const s3_call& call) {
  bucket& in = bucket_of(call);
  check_key(call);
  attributes what = attributes_of(call);
  const std::string id = fmt::format("{:016x}{:016x}", ++uploads_ * 0xd1342543de82ef95U, uploads_);
  in.uploads.emplace(id, upload{call.key, std::move(what), replies_.now(), {}});
  std::string body;
  append_element(body, "Bucket", call.bucket);
  append_element(body, "Key", call.key);
  append_element(body, "UploadId", id);
  return replies_.xml(document("InitiateMultipartUploadResult", body));
}

response s3_service::upload_part(const s3_call& call) {
  upload& to = upload_of(bucket_of(call), call);
  const int number = call.number("partNumber", 0, most_parts + 1);
  if (number < 1 || number > most_parts) {
    throw refusal{400, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive"};
  }
  stored_part part;
  part.md5 = checked_md5(call);
  part.body = std::make_shared<const std::string>(call.r.body);
  part.last_modified = replies_.now();
  response answer = replies_.plain(200);
  answer.headers.push_back({"ETag", quoted(part_etag(part))});
  to.parts.insert_or_assign(number, std::move(part));
  return answer;
}

response s3_service::list_parts(const s3_call& call) {
  const upload& of = upload_of(bucket_of(call), call);
  const int behind = call.number("part-number-marker", 0, most_parts);
  const int most = std::min(call.number("max-parts", 1000, 1000), traits_.list_page);
  std::string entries;
  int count = 0;
  int last = behind;
  auto at = of.parts.upper_bound(behind);
  for (; at != of.parts.end() && count < most; ++at, ++count) {
    last = at->first;
    entries += "<Part>";
    append_element(entries, "PartNumber", std::to_string(at->first));
    append_element(entries, "LastModified", list_time(at->second.last_modified));
    append_element(entries, "ETag", quoted(part_etag(at->second)));
    append_element(entries, "Size", std::to_string(at->second.body->size()));
    entries += "</Part>";
  }
  std::string body;
  append_element(body, "Bucket", call.bucket);
  append_element(body, "Key", call.key);
  append_element(body, "UploadId", call.parameter_or("uploadId", ""));
  append_element(body, "StorageClass", "STANDARD");
  append_element(body, "PartNumberMarker", std::to_string(behind));
  append_element(body, "NextPartNumberMarker", std::to_string(last));
  append_element(body, "MaxParts", std::to_string(most));
  append_element(body, "IsTruncated", at == of.parts.end() ? "false" : "true");
  return replies_.xml(document("ListPartsResult", body + entries));
}

/// In order of key, then of beginning, as S3 does.
response s3_service::list_uploads(const s3_call& call) {
  const bucket& in = bucket_of(call);
  const std::string prefix = call.parameter_or("prefix", "");
  const int most = std::min(call.number("max-uploads", 1000, 1000), traits_.list_page);
  struct entry {
    std::string_view key;
    wall_time initiated;
    std::string_view id;
    auto operator<=>(const entry&) const = default;
  };
  std::vector<entry> all;
  for (const auto& [id, u] : in.uploads)
    if (u.key.starts_with(prefix)) all.push_back({u.key, u.initiated, id});
  std::ranges::sort(all);

  const std::string key_marker = call.parameter_or("key-marker", "");
  const std::string id_marker = call.parameter_or("upload-id-marker", "");
  auto at = std::ranges::find_if(all, [&](const entry& e) { return e.key > key_marker; });
  if (!id_marker.empty()) {
    const auto marked = std::ranges::find_if(all, [&](const entry& e) { return e.id == id_marker; });
    if (marked != all.end()) at = std::next(marked);
  }
  std::string entries;
  const entry* last = nullptr;
  for (int count = 0; at != all.end() && count < most; ++at, ++count) {
    last = &*at;
    entries += "<Upload>";
    append_element(entries, "Key", at->key);
    append_element(entries, "UploadId", at->id);
    append_element(entries, "StorageClass", "STANDARD");
    append_element(entries, "Initiated", list_time(at->initiated));
    entries += "</Upload>";
  }
  std::string body;
  append_element(body, "Bucket", call.bucket);
  append_element(body, "KeyMarker", key_marker);
  append_element(body, "UploadIdMarker", id_marker);
  append_element(body, "Prefix", prefix);
  append_element(body, "MaxUploads", std::to_string(most));
  append_element(body, "IsTruncated", at == all.end() ? "false" : "true");
  if (at != all.end() && last != nullptr) {
    append_element(body, "NextKeyMarker", last->key);
    append_element(body, "NextUploadIdMarker", last->id);
  }
  return replies_.xml(document("ListMultipartUploadsResult", body + entries));
}

response s3_service::complete_upload(const s3_call& call) {
  bucket& in = bucket_of(call);
  const upload& from = upload_of(in, call);
  const std::string id = call.parameter_or("uploadId", "");
  version v = assemble(from, id, read_completion(call.r.body), traits_.smallest_part);
  check_write_conditions(call, in);
  in.uploads.erase(id);
  const version& kept = add(in, call.key, std::move(v));
  std::string body;
  append_element(body, "Location",
                 fmt::format("http://s3.{}.amazonaws.com/{}/{}", traits_.region, call.bucket, call.key));
  append_element(body, "Bucket", call.bucket);
  append_element(body, "Key", call.key);
  append_element(body, "ETag", quoted(kept.tag.text()));
  response answer = replies_.xml(document("CompleteMultipartUploadResult", body));
  if (in.versioning != versioning_state::never) answer.headers.push_back({"x-amz-version-id", kept.id()});
  return answer;
}

response s3_service::abort_upload(const s3_call& call) {
  bucket& in = bucket_of(call);
  upload_of(in, call);
  in.uploads.erase(call.parameter_or("uploadId", ""));
  return replies_.plain(204);
}

}  // namespace dynabackup::fakes::s3_store
