// The one call of Lambda we make (AWS Lambda API Reference, version 2015-03-31): which functions read a stream. What it
// tells is good to know and nothing more, so that it spends no more time than it is given and nobody else's retries.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "aws/credentials.hpp"
#include "aws/endpoints.hpp"
#include "aws/event_source_mappings.hpp"
#include "dynabackup/transport.hpp"
#include "runtime/clock.hpp"

namespace dynabackup::aws {

class lambda_client {
 public:
  lambda_client(transport& network, runtime::clock& clock, credential_provider& who, endpoint at);
  /// Every mapping of the stream or queue, whatever its state. Waits `patience` for all of it, credentials apart; only
  /// a throttled request is sent again. service_error, transport_error, format_error.
  task<std::vector<event_source_mapping>> event_source_mappings(std::string source_arn,
                                                                std::chrono::milliseconds patience);

 private:
  task<response> ask(transport& network, request r, std::string source_arn, runtime::clock::steady_time until);
  transport& network_;
  runtime::clock& clock_;
  credential_provider& who_;
  endpoint at_;
};

}  // namespace dynabackup::aws
