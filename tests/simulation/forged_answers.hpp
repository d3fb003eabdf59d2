// Answers of a service that cannot or will not, and answers that were damaged on their way.
#pragma once
#include <string>
#include <string_view>

#include "simulation/fault_plan.hpp"

namespace dynabackup::simulation {

/// An error as the service words it, with its x-amz-crc32 (DynamoDB) or without a body (HEAD).
response service_refusal(service from, const request& r, int status, std::string_view code, std::string_view message);
/// 500, 502, 503 or 504 of something in front of the service.
response gateway_error(bool html, dice& chance);
response throttling(service from, const request& r, dice& chance);
/// S3's 200 that holds an error.
response error_in_success();
/// Another valid answer than the one that was sent, under the old x-amz-crc32: a page without its last items, leftovers
/// dropped, an item missing.
void alter(response& answer, const std::string& operation, dice& chance);

}  // namespace dynabackup::simulation
