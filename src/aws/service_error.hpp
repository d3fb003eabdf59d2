// From an answer to the facts of a failure: DynamoDB's JSON (__type), S3's and STS's XML (<Code>), or the bare status.
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/error.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::aws {

/// Never throws. A body that is HTML or cut leaves code "" and the status speaks; where there is no body at all (HEAD)
/// the code is made from the status ("NotFound"). Texts are cut, and control characters replaced.
/// `operation` and `resource` are the caller's to fill in; `attempts` comes from attempts_header.
service_failure read_json_failure(const response& r);
service_failure read_xml_failure(const response& r);

/// Function pointer type by which a transport stack learns to read its service's errors.
using failure_reader = service_failure (*)(const response&);

/// retrying_transport adds it to every response it returns: how many attempts it took.
inline constexpr std::string_view attempts_header = "x-dynabackup-attempts";
/// signing_transport adds it to a refusal of the credentials: where they came from.
inline constexpr std::string_view keys_header = "x-dynabackup-keys";

/// Whether a code says that the credentials, not the rights behind them, are refused: others may be accepted.
bool is_refusal_of_keys(std::string_view code);

}  // namespace dynabackup::aws
