// What a function was called with, and the answer in the form of whoever called: API Gateway (both payload formats), a
// function URL, or somebody who invoked it directly. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::lambda {

struct function_event {
  enum class caller { direct, gateway, function_url };
  caller from = caller::direct;
  std::string request;    ///< JSON text: the body of the HTTP request, decoded, or the event itself; may be empty
  std::string problem{};  ///< why there is no request, fit for the caller

  [[nodiscard]] bool by_http() const { return from != caller::direct; }
};

/// format_error, without content, when it is not JSON; a body that cannot be decoded is a `problem` of the event.
function_event read_function_event(std::string_view event);

/// What a snapshot or a restore is asked for; each member where it was given.
struct job_request {
  std::optional<std::string> table;     ///< tableName
  std::optional<std::string> snapshot;  ///< snapshotFilename
  std::optional<std::string> token;     ///< of a restore that goes on
};

/// From a JSON object; nothing (no body, null) asks for nothing. format_error says what is wrong, fit for the caller.
job_request read_job_request(std::string_view request);

/// The answer to an HTTP request: right for both payload formats and for function URLs.
std::string http_answer(int status, std::string_view json_body);

}  // namespace dynabackup::lambda
