// Signs every attempt with a fresh date and the current credentials, then hands it down. Where a refusal and the
// answer's Date show that this machine's clock is wrong, it signs once more by the service's clock and stays with it;
// where the credentials are refused, it signs once more with others, if there are.
#pragma once
#include <chrono>
#include <string>

#include "aws/credentials.hpp"
#include "aws/sigv4.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

class signing_transport final : public transport {
 public:
  signing_transport(transport& inner, credential_provider& who, runtime::clock& clock, std::string region,
                    std::string service, sigv4::rules dialect);
  task<response> send(request& r) override;

 private:
  task<response> send_signed(request& r, const std::string& payload_hash, const credentials& who);
  [[nodiscard]] const std::string& region_of(const request& r) const {
    return r.signing_region.empty() ? region_ : r.signing_region;
  }
  bool correct_clock(const response& answer, std::chrono::milliseconds used_skew);

  transport& inner_;
  credential_provider& who_;
  runtime::clock& clock_;
  std::string region_;
  std::string service_;
  sigv4::rules dialect_;
  sigv4::key_cache keys_;
  std::chrono::milliseconds skew_{0};  ///< the service's clock less ours; zero unless proven otherwise
};

}  // namespace dynabackup::aws
