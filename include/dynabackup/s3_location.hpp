// s3://bucket/prefix as a value.
#pragma once
#include <string>
#include <string_view>

namespace dynabackup {

struct s3_location {
  std::string bucket;
  std::string prefix;  ///< empty, or ends with '/'

  /// Gives `prefix` its '/' if it lacks one; an empty prefix is the root of the bucket.
  static s3_location of(std::string bucket, std::string prefix);
  [[nodiscard]] std::string key(std::string_view name) const { return prefix + std::string(name); }
  [[nodiscard]] std::string text() const { return "s3://" + bucket + "/" + prefix; }
  bool operator==(const s3_location&) const = default;
};

}  // namespace dynabackup
