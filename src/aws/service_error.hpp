// From an answer to the facts of a failure: DynamoDB's JSON (__type), S3's and STS's XML (<Code>), or the bare status.
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::aws {

/// Never throws: a body that is HTML, empty or cut leaves code "" and the status speaks.
service_failure read_json_failure(const response& r);
service_failure read_xml_failure(const response& r);

/// Function pointer type by which a transport stack learns to read its service's errors.
using failure_reader = service_failure (*)(const response&);

}  // namespace dynabackup::aws
