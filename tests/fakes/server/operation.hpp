// AWS's name of what a request asks for, as statistics and faults need it.
#pragma once
#include <string>

#include "dynabackup/http.hpp"

namespace dynabackup::fakes {

/// Whether X-Amz-Target is there: DynamoDB and S3 share a port.
bool is_dynamodb(const request& r);
/// "Scan", "PutObject", …; "unknown" for what no service of ours speaks.
std::string_view operation_of(const request& r);

}  // namespace dynabackup::fakes
