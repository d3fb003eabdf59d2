#include "aws/credential_answer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <pugixml.hpp>
#include <simdjson.h>
#include <string>

#include "dynabackup/error.hpp"

namespace dynabackup::aws {
namespace {

constexpr std::size_t largest_answer = std::size_t{256} << 10;
constexpr std::size_t longest_key = 512;
constexpr std::size_t longest_token = std::size_t{32} << 10;
// Less may be the network's delay, and Date counts whole seconds.
constexpr std::chrono::minutes suspicious_skew{1};

[[noreturn]] void fail(std::string_view who, std::string_view problem) {
  throw format_error(fmt::format("the answer of {} {}", who, problem));
}

std::string word(std::string_view who, std::string_view name, std::string_view value, std::size_t longest) {
  if (value.empty()) fail(who, fmt::format("has no {}", name));
  if (value.size() > longest) fail(who, fmt::format("has too long a value of {} (more than {} bytes)", name, longest));
  if (!is_header_word(value)) fail(who, fmt::format("has characters in its {} that none has", name));
  return std::string(value);
}

std::chrono::sys_seconds time_of(std::string_view who, std::string_view value) {
  const auto at = text::parse_rfc3339(value);
  if (!at) fail(who, "has an Expiration that is no time");
  return std::chrono::floor<std::chrono::seconds>(*at);
}

// The text of a member; empty where it is absent or null.
std::string_view member(const simdjson::dom::object& from, std::string_view name) {
  constexpr const char* who = "the container credentials endpoint";
  simdjson::dom::element value;
  if (from.at_key(name).get(value) != simdjson::SUCCESS || value.is_null()) return {};
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) fail(who, fmt::format("has something else than text as its {}", name));
  return text;
}

}  // namespace

credentials read_sts_credentials(std::string_view body, std::string_view operation) {
  const std::string who = fmt::format("STS to {}", operation);
  pugi::xml_document document;
  if (body.size() > largest_answer) fail(who, "is too large");
  if (!document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8))
    fail(who, "is no XML that could be read");
  const pugi::xml_node found = document.child(fmt::format("{}Response", operation).c_str())
                                   .child(fmt::format("{}Result", operation).c_str())
                                   .child("Credentials");
  if (!found) fail(who, "holds no credentials");
  credentials out;
  out.access_key_id = word(who, "AccessKeyId", found.child_value("AccessKeyId"), longest_key);
  out.secret_access_key = word(who, "SecretAccessKey", found.child_value("SecretAccessKey"), longest_key);
  out.session_token = word(who, "SessionToken", found.child_value("SessionToken"), longest_token);
  out.expires = time_of(who, found.child_value("Expiration"));
  return out;
}

credentials read_container_credentials(std::string_view body) {
  constexpr const char* who = "the container credentials endpoint";
  if (body.size() > largest_answer) fail(who, "is too large");
  simdjson::dom::parser parser;
  simdjson::dom::object found;
  if (parser.parse(simdjson::padded_string(body)).get(found) != simdjson::SUCCESS) fail(who, "is no JSON object");
  credentials out;
  out.access_key_id = word(who, "AccessKeyId", member(found, "AccessKeyId"), longest_key);
  out.secret_access_key = word(who, "SecretAccessKey", member(found, "SecretAccessKey"), longest_key);
  if (const auto token = member(found, "Token"); !token.empty())
    out.session_token = word(who, "Token", token, longest_token);
  if (const auto expiration = member(found, "Expiration"); !expiration.empty()) out.expires = time_of(who, expiration);
  return out;
}

void set_by_our_clock(credentials& who, const response& answer, text::millis now) {
  const auto theirs = text::parse_http_date(answer.header_value("Date"));
  if (!who.expires || !theirs) return;
  const auto ahead = now - *theirs;
  if (std::chrono::abs(ahead) >= suspicious_skew) *who.expires += std::chrono::floor<std::chrono::seconds>(ahead);
}

bool is_header_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace dynabackup::aws
