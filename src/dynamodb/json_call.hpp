// One call of DynamoDB's JSON 1.0 protocol: what the table's and the streams' client have in common.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/transport.hpp"

namespace dynabackup::dynamodb {

struct json_service {
  transport& network;  ///< the signed, retried stack
  origin at;
  std::string target;    ///< the path of every request
  std::string_view api;  ///< a literal: "DynamoDB_20120810"
};

struct json_call {
  std::string_view operation;  ///< a literal
  std::string resource;        ///< for messages: table, stream
  std::string body;
  byte_budget* budget = nullptr;
  std::size_t max_response_bytes = std::size_t{8} << 20;
};

/// POST /, X-Amz-Target: <api>.<Operation> (DynamoDB API Reference, "Making HTTP requests"). service_error for what is
/// refused. `to` outlives the task.
task<response> send_call(const json_service& to, json_call call);

std::string json_text(std::string_view text);

}  // namespace dynabackup::dynamodb
