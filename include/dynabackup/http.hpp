// HTTP messages as plain values: no Beast type leaks. RFC 9110 terms.
#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dynabackup/byte_budget.hpp"

namespace dynabackup {

struct header {
  std::string name;
  std::string value;
};

/// Scheme, host and port of a server (RFC 6454), by which connections are pooled.
struct origin {
  bool tls = true;
  std::string host;  ///< name or address; IPv6 without brackets
  std::uint16_t port = 443;

  bool operator==(const origin&) const = default;
  /// The Host header: port only where it is not the scheme's own; IPv6 in brackets.
  [[nodiscard]] std::string host_header() const;
  /// "https://host:port", for messages.
  [[nodiscard]] std::string text() const;
};

struct request {
  std::string method;  ///< "GET", "PUT", …
  origin to;
  std::string target = "/";     ///< path and query exactly as on the wire (already percent-encoded)
  std::vector<header> headers;  ///< without Host, Content-Length and Connection: the connection writes those
  std::string body;
  std::string signing_region{};  ///< empty = the region the signing transport was made for

  std::size_t max_response_bytes = std::size_t{64} << 20;  ///< a larger body is a transport_error
  byte_budget* budget = nullptr;  ///< when set, the response body is charged to it before it is read
  std::chrono::milliseconds attempt_timeout{60'000};  ///< whole attempt, waiting for the budget not counted
  /// Asked before each attempt, the first and every retry, when nothing but sending is left to wait for. What it throws
  /// ends the request there; an earlier attempt may still take effect.
  std::function<void()> before_attempt{};

  /// Replaces every header of that name (compared without case) by one.
  void set_header(std::string_view name, std::string value);
};

struct response {
  int status = 0;
  std::vector<header> headers;
  std::string body;            ///< has at least `body_padding` spare bytes of capacity behind size()
  byte_budget::charge charge;  ///< holds the body's share of request::budget; keep it as long as the body
  /// An earlier attempt of this request was sent and its outcome is unknown: it may still take effect, also after
  /// whatever is written next.
  bool unsettled = false;

  /// What simdjson may read (never use) behind a body.
  static constexpr std::size_t body_padding = 64;
  /// First header of that name (compared without case), or an empty view.
  [[nodiscard]] std::string_view header_value(std::string_view name) const;
};

}  // namespace dynabackup
