#include "simulation/forged_answers.hpp"

#include <array>

#include "crypto/crc32.hpp"
#include "dynabackup/error.hpp"
#include "dynamodb/scan_page.hpp"

namespace dynabackup::simulation {
namespace {

/// The page as it would be with `keep` items.
std::string shortened(const dynamodb::scan_page& page, std::size_t keep) {
  std::string body = R"({"Count":)" + std::to_string(keep) + R"(,"Items":[)";
  for (std::size_t i = 0; i < keep; ++i) {
    if (i > 0) body += ',';
    body += page.item(i);
  }
  body += R"(],"ScannedCount":)" + std::to_string(keep);
  if (page.next()) body += R"(,"LastEvaluatedKey":)" + *page.next();
  return body + "}";
}

std::string shortened_page(const response& answer, dice& chance) {
  response copy;
  copy.status = answer.status;
  copy.body = answer.body;
  copy.body.reserve(copy.body.size() + response::body_padding);
  const dynamodb::scan_page page(std::move(copy));
  if (page.size() == 0) return answer.body + " ";
  return shortened(page, chance.below(page.size()));
}

}  // namespace

response service_refusal(service from, const request& r, int status, std::string_view code, std::string_view message) {
  response answer;
  answer.status = status;
  if (from == service::dynamodb) {
    answer.body = R"({"__type":"com.amazonaws.dynamodb.v20120810#)" + std::string(code) + R"(","message":")" +
                  std::string(message) + R"("})";
    answer.headers = {{"Content-Type", "application/x-amz-json-1.0"},
                      {"x-amz-crc32", std::to_string(crypto::crc32(answer.body))},
                      {"x-amzn-RequestId", "SIMULATED"}};
  } else {
    answer.headers = {{"Content-Type", "application/xml"}, {"x-amz-request-id", "SIMULATED"}};
    if (r.method != "HEAD")
      answer.body = R"(<?xml version="1.0" encoding="UTF-8"?><Error><Code>)" + std::string(code) + "</Code><Message>" +
                    std::string(message) + "</Message><RequestId>SIMULATED</RequestId></Error>";
  }
  return answer;
}

response gateway_error(bool html, dice& chance) {
  response answer;
  answer.status = chance.pick(std::array{500, 502, 503, 504});
  if (!html) return answer;
  answer.headers = {{"Content-Type", "text/html"}};
  answer.body = "<html><head><title>Service Unavailable</title></head><body><h1>Please try again</h1></body></html>";
  return answer;
}

response throttling(service from, const request& r, dice& chance) {
  if (from == service::s3) return service_refusal(from, r, 503, "SlowDown", "Please reduce your request rate.");
  const char* code =
      chance.pick(std::array{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"});
  return service_refusal(from, r, 400, code, "Rate exceeded");
}

response error_in_success() {
  response answer;
  answer.status = 200;
  answer.headers = {{"Content-Type", "application/xml"}};
  answer.body = R"(<?xml version="1.0" encoding="UTF-8"?>)"
                "\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>";
  return answer;
}

void alter(response& answer, const std::string& operation, dice& chance) {
  if (answer.header_value("x-amz-crc32").empty())
    answer.headers.push_back({"x-amz-crc32", std::to_string(crypto::crc32(answer.body))});
  if (answer.status != 200)
    answer.body = "{}";
  else if (operation == "Scan")
    answer.body = shortened_page(answer, chance);
  else if (operation == "BatchWriteItem")
    answer.body = R"({"UnprocessedItems":{} })";
  else if (operation == "GetItem")
    answer.body = answer.body == "{}" ? "{ }" : "{}";
  else
    answer.body += ' ';
}

}  // namespace dynabackup::simulation
