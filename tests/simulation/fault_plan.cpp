#include "simulation/fault_plan.hpp"

#include <algorithm>
#include <numeric>

namespace dynabackup::simulation {
namespace {

constexpr milliseconds latest_effect{60'000};
/// The few requests that begin or complete an upload are struck more often than others.
constexpr double upload_rate = 0.25;

bool is_turn_of_upload(const request& r) { return r.method == "POST" && r.target.find("upload") != std::string::npos; }

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return (x | 0x20) == (y | 0x20); });
}

}  // namespace

const char* name_of(fault kind) {
  constexpr std::array names{"none",       "refused",    "reset",        "lost answer", "late effect",  "stuck",
                             "cut answer", "HTML error", "empty error",  "acted error", "throttled",    "altered",
                             "slow",       "drip",       "error in 200", "conflict",    "expired token"};
  static_assert(names.size() == static_cast<std::size_t>(fault::count));
  return names[static_cast<std::size_t>(kind)];
}

std::string_view header_of(const request& r, std::string_view name) {
  for (const header& h : r.headers)
    if (same_name(h.name, name)) return h.value;
  return {};
}

std::string operation_of(const request& r, service to) {
  if (to == service::s3) return r.method + " " + r.target;
  const std::string_view target = header_of(r, "X-Amz-Target");
  return std::string(target.substr(target.find('.') + 1));
}

bool changes_something(const request& r, service to) {
  if (to == service::s3) return r.method != "GET" && r.method != "HEAD";
  const std::string operation = operation_of(r, to);
  return operation == "BatchWriteItem" || operation == "PutItem" || operation == "DeleteItem" ||
         operation == "UpdateItem" || operation == "TransactWriteItems";
}

std::uint64_t fault_plan::faults() const { return std::accumulate(drawn_.begin() + 1, drawn_.end(), std::uint64_t{0}); }

bool fault_plan::possible(fault kind, const request& r, service to) const {
  switch (kind) {
    case fault::late_effect:
      return settings_.late_effects && changes_something(r, to);
    case fault::acted_error:
      return changes_something(r, to);
    case fault::altered:
      return to == service::dynamodb;
    case fault::error_in_200:
      return to == service::s3 && r.method == "POST" && r.target.find("uploadId=") != std::string::npos;
    case fault::conflict:
      return to == service::s3 && !header_of(r, "If-None-Match").empty();
    case fault::expired_token:
      return settings_.expired_tokens;
    default:
      return true;
  }
}

fault fault_plan::choose(const request& r, service to) {
  for (;;) {
    const auto kind = static_cast<fault>(1 + dice_.below(static_cast<std::uint64_t>(fault::count) - 1));
    if (possible(kind, r, to)) return kind;
  }
}

int& fault_plan::row_of(const request& r) { return in_a_row_[std::string(header_of(r, "amz-sdk-invocation-id"))]; }

bool fault_plan::strikes(const request& r) {
  ++requests_;
  const bool owed = settings_.owed > 0 && requests_ > 3 && dice_.one_in(6);
  const double rate = is_turn_of_upload(r) ? upload_rate : settings_.rate;
  if (!owed && !(settings_.rate > 0 && dice_.chance(rate))) return false;
  if (bears_no_more(r)) return false;
  bear(r);
  if (settings_.owed > 0) --settings_.owed;
  return true;
}

fate fault_plan::draw(const request& r, service to) {
  fate f;
  f.answers_after = dice_.between(milliseconds{1}, dice_.one_in(10) ? milliseconds{400} : milliseconds{40});
  f.acts_after = dice_.between(milliseconds{0}, f.answers_after);
  if (!strikes(r)) return f;
  f.kind = choose(r, to);
  ++drawn_[static_cast<std::size_t>(f.kind)];
  switch (f.kind) {
    case fault::late_effect:
      f.acts_after = f.answers_after + dice_.between(milliseconds{1}, latest_effect);
      break;
    case fault::stuck:
      f.acts = dice_.one_in(2);
      f.answers_after = r.attempt_timeout + milliseconds{1};
      f.acts_after = dice_.between(milliseconds{0}, r.attempt_timeout);
      if (settings_.late_effects && dice_.one_in(2))
        f.acts_after = r.attempt_timeout + dice_.between(milliseconds{0}, latest_effect);
      break;
    case fault::slow:
      f.answers_after = dice_.between(milliseconds{1'000}, milliseconds{30'000});
      f.acts_after = dice_.between(milliseconds{0}, f.answers_after);
      break;
    case fault::drip:
      f.answers_after = r.attempt_timeout - dice_.between(milliseconds{1}, milliseconds{1'000});
      break;
    case fault::refused:
    case fault::reset:
    case fault::html_error:
    case fault::empty_error:
    case fault::throttled:
    case fault::error_in_200:
    case fault::conflict:
      f.acts = false;
      break;
    default:
      break;
  }
  return f;
}

}  // namespace dynabackup::simulation
