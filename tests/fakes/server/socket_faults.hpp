// Which request meets which fault, decided by a seed: the same requests in the same order meet the same faults.
// Carrying them out is the server's business.
#pragma once
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "dynabackup/http.hpp"

namespace dynabackup::fakes {

enum class fault_kind {
  // The request has no effect.
  closed_before,     ///< the connection is closed, no answer
  reset,             ///< the connection is reset, no answer
  refused,           ///< the same, and for some time nobody listens: connections are refused
  error_html,        ///< 500 with a page of HTML
  error_empty,       ///< 503 without a body
  error_service,     ///< the service's own 500 (InternalServerError, InternalError)
  throttled,         ///< the service's throttling code
  completion_error,  ///< CompleteMultipartUpload: 200 with an <Error> in it
  // The request has its effect.
  lost_answer,   ///< the connection is closed, no answer
  cut_head,      ///< closed in the middle of the answer's head
  cut_body,      ///< closed in the middle of the body that Content-Length promises
  flipped_byte,  ///< one bit of the body is another, x-amz-crc32 as it was
  slow_drip,     ///< the answer comes in small pieces
  late,          ///< the answer comes late
  late_effect,   ///< the connection is closed, no answer; the effect comes up to a minute later
  closed_after,  ///< the answer comes whole; then the connection is closed without a word
};
inline constexpr std::size_t fault_kinds = 16;
std::string_view name_of(fault_kind kind);
std::optional<fault_kind> kind_of(std::string_view name);

struct fault {
  fault_kind kind{};
  std::uint64_t chance = 0;  ///< for whatever is to be chosen at random in carrying it out
  /// late: before the answer; late_effect: before the effect; slow_drip: between two pieces; refused: until somebody
  /// listens again
  std::chrono::milliseconds delay{};
};

class socket_faults {
 public:
  /// `fraction`: how many of all requests are faulted, 0…1; `kinds`: by which kinds only, empty = all.
  socket_faults(double fraction, std::uint64_t seed, std::vector<fault_kind> kinds = {})
      : fraction_(fraction), random_(seed), kinds_(std::move(kinds)) {}

  /// Decides about one request.
  std::optional<fault> decide(const request& r);
  /// How many of a BatchWriteItem's requests are done before the rest comes back unprocessed, another way to throttle;
  /// mostly all.
  std::size_t processed(std::size_t requests);
  /// The answer to a fault that stands in for the service: error_*, throttled, completion_error.
  [[nodiscard]] response stand_in(const fault& f, const request& r) const;

  /// Whether the request never reaches the service.
  static bool prevents(fault_kind kind) { return kind <= fault_kind::completion_error; }

 private:
  bool strikes();
  [[nodiscard]] bool allowed(fault_kind kind) const;

  double fraction_;
  std::mt19937_64 random_;
  std::vector<fault_kind> kinds_;
};

}  // namespace dynabackup::fakes
