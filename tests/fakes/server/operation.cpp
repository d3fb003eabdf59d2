#include "fakes/server/operation.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace dynabackup::fakes {
namespace {

constexpr std::string_view target_header = "x-amz-target";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

const header* target_of(const request& r) {
  for (const header& h : r.headers)
    if (h.name.size() == target_header.size() && std::ranges::equal(h.name, target_header, {}, lower)) return &h;
  return nullptr;
}

/// Whether the query has that parameter, with or without a value.
bool has(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.substr(0, pair.find('=')) == name) return true;
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
  }
  return false;
}

struct row {
  std::string_view method, parameter, operation;
};

// The first row that fits decides; an empty parameter fits any query.
constexpr std::array bucket_rows{row{"GET", "list-type", "ListObjectsV2"},
                                 row{"GET", "versions", "ListObjectVersions"},
                                 row{"GET", "versioning", "GetBucketVersioning"},
                                 row{"GET", "lifecycle", "GetBucketLifecycleConfiguration"},
                                 row{"GET", "uploads", "ListMultipartUploads"},
                                 row{"GET", "location", "GetBucketLocation"},
                                 row{"PUT", "versioning", "PutBucketVersioning"},
                                 row{"PUT", "lifecycle", "PutBucketLifecycleConfiguration"},
                                 row{"PUT", "", "CreateBucket"},
                                 row{"DELETE", "lifecycle", "DeleteBucketLifecycle"},
                                 row{"DELETE", "", "DeleteBucket"},
                                 row{"HEAD", "", "HeadBucket"},
                                 row{"POST", "delete", "DeleteObjects"}};
constexpr std::array object_rows{row{"PUT", "uploadId", "UploadPart"},
                                 row{"PUT", "", "PutObject"},
                                 row{"GET", "uploadId", "ListParts"},
                                 row{"GET", "", "GetObject"},
                                 row{"HEAD", "", "HeadObject"},
                                 row{"DELETE", "uploadId", "AbortMultipartUpload"},
                                 row{"DELETE", "", "DeleteObject"},
                                 row{"POST", "uploads", "CreateMultipartUpload"},
                                 row{"POST", "uploadId", "CompleteMultipartUpload"}};

template <std::size_t N>
std::string_view find(const std::array<row, N>& rows, std::string_view method, std::string_view query) {
  for (const row& r : rows)
    if (r.method == method && (r.parameter.empty() || has(query, r.parameter))) return r.operation;
  return "unknown";
}

}  // namespace

bool is_dynamodb(const request& r) { return target_of(r) != nullptr; }

std::string_view operation_of(const request& r) {
  if (const header* const target = target_of(r)) {
    const std::string_view value = target->value;
    return value.substr(value.find('.') + 1);
  }
  std::string_view path = r.target;
  std::string_view query;
  if (const std::size_t mark = path.find('?'); mark != std::string_view::npos) {
    query = path.substr(mark + 1);
    path = path.substr(0, mark);
  }
  if (path.size() < 2) return r.method == "GET" ? "ListBuckets" : "unknown";
  const std::size_t slash = path.find('/', 1);
  const bool in_bucket = slash != std::string_view::npos && slash + 1 < path.size();
  return in_bucket ? find(object_rows, r.method, query) : find(bucket_rows, r.method, query);
}

}  // namespace dynabackup::fakes
