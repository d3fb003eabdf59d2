// What goes wrong, and when: one fate a request, drawn by seed. Pure chance and bookkeeping; fake_network acts on it.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <string>

#include "dynabackup/http.hpp"
#include "simulation/dice.hpp"

namespace dynabackup::simulation {

enum class service { dynamodb, s3 };

enum class fault {
  none,
  refused,        ///< no connection: the service never saw it
  reset,          ///< the connection broke, or was found dead when used again, before the service saw anything
  lost_answer,    ///< it acted, the answer was lost
  late_effect,    ///< the connection broke; the service acts up to a minute later, whatever became of us
  stuck,          ///< no answer until our own time-out; the service may act at any time, or never
  cut_answer,     ///< the answer ended in the middle
  html_error,     ///< 500 to 504 with a proxy's HTML
  empty_error,    ///< the same without a body
  acted_error,    ///< 500 though it acted
  throttled,      ///< the service asks to slow down
  altered,        ///< DynamoDB's answer in another wording than its x-amz-crc32 says
  slow,           ///< up to 30 s
  drip,           ///< it acted; the answer's last byte comes just before our own time-out
  error_in_200,   ///< CompleteMultipartUpload's 200 with an error inside
  conflict,       ///< S3's 409 to a conditional write
  expired_token,  ///< all session tokens are good no more
  count
};

const char* name_of(fault kind);

struct fate {
  fault kind = fault::none;
  bool acts = true;               ///< whether the service ever carries it out
  milliseconds acts_after{0};     ///< since it was sent
  milliseconds answers_after{0};  ///< when we hear of it, or of its failure
};

struct fault_settings {
  double rate = 0.03;      ///< of requests
  int most_in_a_row = 4;   ///< for one logical request, however many attempts it takes; 0 = no limit
  std::uint64_t owed = 5;  ///< so many happen among the first requests, whatever the rate
  bool late_effects = true;
  bool expired_tokens = false;
};

class fault_plan {
 public:
  fault_plan(std::uint64_t seed, fault_settings settings) : dice_(seed), settings_(settings) {}

  fate draw(const request& r, service to);
  /// The table refused this attempt of its own accord, which counts like a fault.
  void bear(const request& r) { ++row_of(r); }
  /// One more would be more than a request is retried.
  [[nodiscard]] bool bears_no_more(const request& r) {
    return settings_.most_in_a_row > 0 && row_of(r) >= settings_.most_in_a_row;
  }
  /// Nothing goes wrong any more.
  void calm() { settings_.rate = 0, settings_.owed = 0; }
  [[nodiscard]] std::uint64_t faults() const;
  [[nodiscard]] std::uint64_t faults(fault kind) const { return drawn_[static_cast<std::size_t>(kind)]; }
  dice& chance() { return dice_; }

 private:
  fault choose(const request& r, service to);
  [[nodiscard]] bool possible(fault kind, const request& r, service to) const;
  bool strikes(const request& r);
  int& row_of(const request& r);

  dice dice_;
  fault_settings settings_;
  std::uint64_t requests_ = 0;
  std::map<std::string, int> in_a_row_;  // by invocation id
  std::array<std::uint64_t, static_cast<std::size_t>(fault::count)> drawn_{};
};

/// S3 and DynamoDB requests that change nothing have no effect that could come late.
bool changes_something(const request& r, service to);
/// A header of a request, names compared without case; empty when it has none.
std::string_view header_of(const request& r, std::string_view name);
/// "Scan", "BatchWriteItem", …; for S3 method and target.
std::string operation_of(const request& r, service to);

}  // namespace dynabackup::simulation
