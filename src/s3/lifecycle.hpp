// What a bucket's lifecycle rules take away by themselves (GetBucketLifecycleConfiguration). Pure (pugixml).
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::s3 {

struct lifecycle_rule {
  std::string id;
  std::string prefix;            ///< of the keys it is about; empty: all
  bool tagged = false;           ///< it is about objects with certain tags alone
  bool expires_current = false;  ///< objects vanish under delete markers, or for good, without anybody's doing
  std::optional<std::chrono::days> noncurrent{};  ///< so long after it was replaced an old version may be gone
  bool archives_current = false;  ///< objects move, at some age, to a class where a GET answers InvalidObjectState
  std::optional<std::chrono::days> archives_noncurrent{};  ///< so long after it was replaced a version may be there
};

/// The rules that are switched on. format_error: not XML, or not a LifecycleConfiguration.
std::vector<lifecycle_rule> read_lifecycle(std::string_view body);

}  // namespace dynabackup::s3
