#include "aws/service_error.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <pugixml.hpp>
#include <simdjson.h>

namespace dynabackup::aws {
namespace {

constexpr std::size_t longest_message = 500;
constexpr std::size_t longest_name = 128;
// Error answers are small; a larger body is not one.
constexpr std::size_t largest_body = std::size_t{1} << 20;

// The length of the well-formed UTF-8 sequence at the front, 0 when there is none (Unicode 15, table 3-7).
std::size_t sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (at(i) & 0xC0U) == 0x80U; };
  const unsigned first = at(0), second = at(1);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && second < 0xA0;
    const bool surrogate = first == 0xED && second > 0x9F;
    return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && second < 0x90;
    const bool beyond = first == 0xF4 && second > 0x8F;
    return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return sequence.size() == 2 && first == 0xC2 && static_cast<unsigned char>(sequence[1]) < 0xA0;
}

// Fit for a terminal: well-formed UTF-8 of at most `limit` bytes without control characters.
std::string clean(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto sequence = text.substr(0, std::max<std::size_t>(length, 1));
    const std::string_view kept = length == 0 ? "?" : is_control(sequence) ? " " : sequence;
    if (out.size() + kept.size() > limit) break;
    out += kept;
    text.remove_prefix(sequence.size());
  }
  return out;
}

// The service's text for the user. DynamoDB answers a wrong signature with the canonical request it expected, session
// token and all: that part is nobody's to read.
std::string clean_message(std::string_view text) {
  for (const std::string_view dump : {"The Canonical String", "The String-to-Sign", "x-amz-security-token:"}) {
    text = text.substr(0, text.find(dump));
  }
  while (!text.empty() && is_control(text.substr(text.size() - 1))) text.remove_suffix(1);
  return clean(text, longest_message);
}

// "com.amazonaws.dynamodb.v20120810#Code:http://…" → "Code"
std::string code_of(std::string_view type) {
  if (const auto hash = type.rfind('#'); hash != std::string_view::npos) type.remove_prefix(hash + 1);
  return clean(type.substr(0, type.find(':')), longest_name);
}

std::string_view code_of_status(int status) {
  switch (status) {
    case 301:
      return "PermanentRedirect";
    case 304:
      return "NotModified";
    case 307:
      return "TemporaryRedirect";
    case 400:
      return "BadRequest";
    case 403:
      return "Forbidden";
    case 404:
      return "NotFound";
    case 405:
      return "MethodNotAllowed";
    case 409:
      return "Conflict";
    case 412:
      return "PreconditionFailed";
    case 416:
      return "InvalidRange";
    case 429:
      return "TooManyRequests";
    case 500:
      return "InternalError";
    case 502:
      return "BadGateway";
    case 503:
      return "ServiceUnavailable";
    case 504:
      return "GatewayTimeout";
    default:
      return "";
  }
}

int attempts_of(const response& r) {
  const auto value = r.header_value(attempts_header);
  int attempts = 1;
  const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), attempts);
  return failure == std::errc{} && end == value.data() + value.size() && attempts > 0 ? attempts : 1;
}

service_failure begin_failure(const response& r) {
  service_failure out;
  out.status = r.status;
  out.attempts = attempts_of(r);
  for (const auto name : {"x-amzn-RequestId", "x-amz-request-id"}) {
    if (out.request_id.empty()) out.request_id = clean(r.header_value(name), longest_name);
  }
  return out;
}

void finish_failure(const response& r, service_failure& out) {
  if (out.code.empty() && r.body.empty()) out.code = code_of_status(r.status);
  if (is_refusal_of_keys(out.code)) out.keys = clean(r.header_value(keys_header), longest_message);
}

struct json_members {
  std::string type, code, message;
};

json_members read_members(std::string_view body) {
  json_members out;
  const simdjson::padded_string padded(body);
  simdjson::ondemand::parser parser;
  simdjson::ondemand::document document;
  simdjson::ondemand::object object;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return out;
  if (document.get_object().get(object) != simdjson::SUCCESS) return out;
  for (auto member : object) {
    simdjson::ondemand::field field;
    std::string_view name, text;
    if (std::move(member).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) {
      return out;
    }
    std::string* place = name == "__type"                         ? &out.type
                         : name == "code"                         ? &out.code
                         : name == "message" || name == "Message" ? &out.message
                                                                  : nullptr;
    if (place == nullptr || !place->empty()) continue;
    if (field.value().get_string().get(text) == simdjson::SUCCESS) *place = text;
  }
  return out;
}

void add_region(std::string_view region, std::string& message) {
  if (region.empty()) return;
  const std::string note = fmt::format("(bucket is in region {})", clean(region, 64));
  message = clean(message, longest_message - note.size() - 1);
  message += message.empty() ? note : " " + note;
}

}  // namespace

bool is_refusal_of_keys(std::string_view code) {
  constexpr std::array<std::string_view, 7> codes{
      "ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId",         "InvalidClientTokenId",
      "InvalidToken", "TokenRefreshRequired",  "UnrecognizedClientException"};
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

service_failure read_json_failure(const response& r) {
  service_failure out = begin_failure(r);
  const json_members members = r.body.size() <= largest_body ? read_members(r.body) : json_members{};
  for (const std::string_view type :
       {std::string_view(members.type), r.header_value("x-amzn-errortype"), std::string_view(members.code)}) {
    if (out.code.empty()) out.code = code_of(type);
  }
  out.message = clean_message(members.message);
  finish_failure(r, out);
  return out;
}

service_failure read_xml_failure(const response& r) {
  service_failure out = begin_failure(r);
  std::string_view region;
  // S3 tells the bucket's region on many answers; the header helps only where the region is what is wrong.
  if (r.status == 301 || r.status == 307 || r.status == 400) region = r.header_value("x-amz-bucket-region");
  pugi::xml_document document;
  if (r.body.size() <= largest_body && document.load_buffer(r.body.data(), r.body.size())) {
    const pugi::xml_node root = document.document_element();
    const bool wrapped = std::string_view(root.name()) == "ErrorResponse";
    const pugi::xml_node error = wrapped ? root.child("Error") : root;
    if (std::string_view(error.name()) == "Error") {
      out.code = clean(error.child_value("Code"), longest_name);
      out.message = clean_message(error.child_value("Message"));
      const char* id = (wrapped ? root : error).child_value("RequestId");
      if (out.request_id.empty()) out.request_id = clean(id, longest_name);
      if (const std::string_view named = error.child_value("Region"); !named.empty()) region = named;
    }
  }
  finish_failure(r, out);
  add_region(region, out.message);
  return out;
}

}  // namespace dynabackup::aws
