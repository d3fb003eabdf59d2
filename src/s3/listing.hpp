// Answers of ListObjectsV2 and ListObjectVersions as values. Pure (pugixml); keys are decoded from encoding-type=url.
#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::s3 {

using time_point = std::chrono::sys_time<std::chrono::milliseconds>;

struct listed_object {
  std::string key;
  std::string etag;  ///< without quotes
  std::uint64_t size = 0;
  time_point last_modified;
};

struct list_page {
  std::vector<listed_object> objects;
  std::vector<std::string> common_prefixes;
  std::optional<std::string> next;  ///< continuation token
};
/// format_error: not XML, not a ListBucketResult, truncated, no continuation token on a truncated list.
list_page read_list_page(std::string_view body);

struct listed_version {
  std::string key;
  std::string version_id;
  std::string etag;  ///< empty for a delete marker
  std::uint64_t size = 0;
  time_point last_modified;
  bool is_latest = false;
  bool delete_marker = false;
};

struct version_page {
  std::vector<listed_version> versions;  ///< versions and delete markers in the order of the answer
  std::optional<std::string> next_key_marker;
  std::string next_version_id_marker;
};
version_page read_version_page(std::string_view body);

struct listed_upload {
  std::string key;
  std::string upload_id;
  time_point initiated;
};
/// Uploads that were neither completed nor aborted; at most one page of them is of use to us.
std::vector<listed_upload> read_upload_page(std::string_view body);

}  // namespace dynabackup::s3
