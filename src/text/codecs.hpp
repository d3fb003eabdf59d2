// Pure string codecs: hexadecimal, base64 (RFC 4648 section 4), percent-encoding (RFC 3986, SigV4's unreserved set).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::text {

std::string hex(std::string_view bytes);
std::string base64(std::string_view bytes);
/// Strict: standard alphabet, padding required, no white space, zero pad bits; nullopt otherwise.
std::optional<std::string> unbase64(std::string_view text);

/// Every byte except A-Z a-z 0-9 - . _ ~ as %XX (upper hex); '/' kept on request.
std::string percent_encode(std::string_view bytes, bool keep_slash = false);
/// %XX to bytes; '+' to a space on request (S3's encoding-type=url). A malformed escape stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

/// True when the bytes are well-formed UTF-8 (Unicode 15, table 3-7).
bool valid_utf8(std::string_view bytes);

/// `"` + escaped + `"` as RFC 8785 3.2.2.2 writes strings: only `"`, `\` and control characters are escaped.
void append_json_string(std::string& out, std::string_view utf8);

}  // namespace dynabackup::text
