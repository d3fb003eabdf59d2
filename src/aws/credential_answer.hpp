// From the answers of those who hand out temporary credentials (STS's XML, a container agent's JSON) to values. Pure.
// Both hold secrets: a message says what is missing, never what is there.
#pragma once
#include <string_view>

#include "aws/credentials.hpp"
#include "dynabackup/http.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::aws {

/// `operation`: AssumeRole or AssumeRoleWithWebIdentity, the name its elements begin with. format_error.
credentials read_sts_credentials(std::string_view body, std::string_view operation);

/// Also where Token and Expiration are absent: an agent may hand out long-lived keys. format_error.
credentials read_container_credentials(std::string_view body);

/// Moves the expiry by what the answer's Date differs from `now`, where that is more than the network's delay: a wrong
/// clock here must not make fresh credentials look old.
void set_by_our_clock(credentials& who, const response& answer, text::millis now);

/// Printable ASCII without spaces: what a key or a token in a header is made of.
bool is_header_word(std::string_view text);

}  // namespace dynabackup::aws
