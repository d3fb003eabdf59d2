#include "lambda/function_event.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::lambda {
namespace {

namespace dom = simdjson::dom;
using caller = function_event::caller;

dom::element parse(dom::parser& parser, std::string_view json, std::string_view what) {
  dom::element root;
  if (const auto failure = parser.parse(json.data(), json.size()).get(root))
    throw format_error(fmt::format("{} is not JSON that can be read: {}", what, simdjson::error_message(failure)));
  return root;
}

std::string_view text_at(const dom::element& root, std::string_view pointer) {
  std::string_view text;
  if (root.at_pointer(pointer).get(text)) return {};
  return text;
}

caller caller_of(const dom::element& event) {
  if (!event.is_object()) return caller::direct;
  const bool in_context = event.at_key("requestContext").is_object();
  if (in_context && !text_at(event, "/httpMethod").empty()) return caller::gateway;
  if (text_at(event, "/version") != "2.0" || text_at(event, "/requestContext/http/method").empty())
    return caller::direct;
  const bool url = text_at(event, "/requestContext/domainName").find(".lambda-url.") != std::string_view::npos;
  return url ? caller::function_url : caller::gateway;
}

function_event http_event(caller from, const dom::element& event) {
  std::string_view body;
  if (event.at_key("body").get(body)) return {from, ""};
  bool encoded = false;
  if (event.at_key("isBase64Encoded").get(encoded) || !encoded) return {from, std::string(body)};
  std::optional<std::string> plain = text::unbase64(body);
  if (!plain) return {from, "", "the event says that its body is base64, which it is not"};
  return {from, std::move(*plain)};
}

std::optional<std::string> text_member(const dom::object& request, std::string_view name) {
  dom::element found;
  if (request.at_key(name).get(found) || found.is_null()) return std::nullopt;
  std::string_view text;
  if (found.get(text)) throw format_error(fmt::format("{} has to be a string", name));
  if (text.empty()) throw format_error(fmt::format("{} is empty", name));
  return std::string(text);
}

}  // namespace

function_event read_function_event(std::string_view event) {
  dom::parser parser;
  const dom::element root = parse(parser, event, "the event");
  const caller from = caller_of(root);
  return from == caller::direct ? function_event{from, std::string(event)} : http_event(from, root);
}

job_request read_job_request(std::string_view request) {
  if (request.find_first_not_of(" \t\r\n") == std::string_view::npos) return {};
  dom::parser parser;
  const dom::element root = parse(parser, request, "the request");
  if (root.is_null()) return {};
  dom::object members;
  if (root.get(members)) throw format_error("the request is not a JSON object");
  return {text_member(members, "tableName"), text_member(members, "snapshotFilename"), text_member(members, "token")};
}

std::string http_answer(int status, std::string_view json_body) {
  std::string answer = fmt::format(
      R"({{"statusCode":{},"headers":{{"content-type":"application/json"}},"isBase64Encoded":false,"body":)", status);
  text::append_json_string(answer, json_body);
  return answer + "}";
}

}  // namespace dynabackup::lambda
