// The two STS calls that turn a role into temporary credentials (AWS STS API Reference, version 2011-06-15).
#pragma once
#include <cstdint>
#include <string>

#include "aws/credentials.hpp"
#include "aws/endpoints.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

struct role {
  std::string arn;
  std::string session_name;
  std::string external_id;       ///< empty for none; AssumeRole only
  std::string duration_seconds;  ///< decimal, empty for STS's hour; AssumeRole only
};

class sts_client {
 public:
  sts_client(transport& network, runtime::clock& clock, endpoint at, std::uint64_t seed);
  /// Retried a few times. service_error of what STS refuses, transport_error when no answer came, format_error of an
  /// answer without credentials. `source` of the result is the caller's to fill in.
  task<credentials> assume_role(role what, credentials as);
  task<credentials> assume_role_with_web_identity(role what, std::string token);

 private:
  task<credentials> call(std::string operation, std::string role_arn, std::string form, credential_provider* who);
  transport& network_;
  runtime::clock& clock_;
  endpoint at_;
  std::uint64_t seed_;
};

}  // namespace dynabackup::aws
