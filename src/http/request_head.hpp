// The bytes of a request up to its body (RFC 9112 section 3), written into a buffer that is used again and again.
#pragma once
#include <string>

#include "dynabackup/http.hpp"

namespace dynabackup::http {

/// Appends request line, Host, Content-Length, the caller's headers and the empty line. Content-Length is written where
/// there is a body, or the method calls for one. A line break or NUL in any part is a usage_error: it could smuggle in
/// another header.
void append_head(std::string& out, const request& r);

}  // namespace dynabackup::http
