// Where the buckets are. S3 does not look at a request that comes to, or is signed for, another region than its
// bucket's; it says so in one of several ways, and not always which region it would be.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "dynabackup/http.hpp"
#include "simulation/dice.hpp"

namespace dynabackup::simulation {

class regions {
 public:
  static inline const std::string configured = "eu-central-1";  ///< what S3_REGION says

  explicit regions(dice chance) : dice_(chance), aws_hosts_(dice_.one_in(2)) {}

  /// Whether S3 is reached by AWS's own host names, of which each region has one; else by one endpoint for all.
  [[nodiscard]] bool aws_hosts() const { return aws_hosts_; }
  void move(const std::string& bucket, const std::string& region) { places_[bucket] = region; }
  [[nodiscard]] const std::string& place_of(const std::string& bucket) const;
  /// S3's answer to what it will not look at.
  std::optional<response> refusal(const request& r);
  [[nodiscard]] std::uint64_t refusals() const { return refusals_; }

 private:
  response redirect(const request& r, const std::string& bucket, const std::string& there);

  dice dice_;
  bool aws_hosts_;
  std::map<std::string, std::string> places_;  // buckets that are elsewhere
  std::uint64_t refusals_ = 0;
};

/// The region of "s3.eu-west-1.amazonaws.com"; empty for any other host.
std::string region_of_host(const std::string& host);
/// "backup" of "/backup/key?query".
std::string bucket_of(const request& r);

}  // namespace dynabackup::simulation
