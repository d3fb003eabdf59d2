// Signs every attempt with a fresh date and the current credentials, then hands it down.
#pragma once
#include <array>
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
  transport& inner_;
  credential_provider& who_;
  runtime::clock& clock_;
  sigv4::scope scope_;
  sigv4::rules dialect_;
};

}  // namespace dynabackup::aws
