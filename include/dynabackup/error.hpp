// What is thrown when a caller cannot settle a failure in its next line. Each kind carries the facts;
// what() is one line fit for a user: what was being done, on what, what was answered, what to do next.
// No secret and no item content ever enters a message.
#pragma once
#include <stdexcept>
#include <string>

namespace dynabackup {

class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The request itself cannot be carried out as asked: wrong option, setting, bucket, prefix or table. Exit code 2.
class usage_error : public error {
 public:
  using error::error;
};

/// What the request names is not there.
class not_found_error : public usage_error {
 public:
  using usage_error::usage_error;
};

/// No usable answer arrived: connect, TLS, reset, time-out, malformed or oversized HTTP.
class transport_error : public error {
 public:
  /// Where in an exchange it went wrong. `before_send`: the service cannot have seen the request.
  enum class stage { before_send, after_send };
  transport_error(std::string endpoint, stage where, const std::string& what)
      : error(endpoint + ": " + what), endpoint(std::move(endpoint)), where(where) {}
  std::string endpoint;
  stage where;
  /// False for failures that no retry mends (certificate refused, header limit, plain text to a TLS port).
  bool retryable = true;
};

/// The service answered with an error (DynamoDB: __type; S3: <Code>).
struct service_failure {
  std::string operation;   ///< AWS's name: "PutObject", "Scan"
  std::string resource;    ///< table, or bucket/key
  int status = 0;          ///< HTTP status
  std::string code;        ///< AWS error code; derived from the status where there is no body (HEAD)
  std::string message;     ///< the service's own text, cut to 500 bytes
  std::string request_id;  ///< x-amzn-RequestId or x-amz-request-id
  int attempts = 1;        ///< how often it was tried
  std::string keys{};      ///< where the refused credentials came from; empty when they are not what is wrong
};

class service_error : public error {
 public:
  explicit service_error(service_failure failure);
  service_failure failure;
};

/// Bytes that are not what they should be: a snapshot line, a manifest, a descriptor, a page.
class format_error : public error {
 public:
  using error::error;
};

/// A signal asked the run to end; what was in flight has been settled. Exit code 130.
class interrupted : public error {
 public:
  interrupted() : error("interrupted") {}

 protected:
  using error::error;
};

/// As interrupted, but the time that was allowed is over.
class out_of_time : public interrupted {
 public:
  out_of_time() : interrupted("the time that was allowed is over") {}
};

}  // namespace dynabackup
