// The bytes of an answer as they go over the wire, and what faults make of them.
#pragma once
#include <cstddef>
#include <string>

#include "dynabackup/http.hpp"
#include "fakes/server/socket_faults.hpp"

namespace dynabackup::fakes {

/// Appends status line, headers, Content-Length (unless the answer has one, as to HEAD) and the empty line.
void append_head(std::string& out, const response& answer, bool keep_alive);
/// How many of the bytes, head and body together, are sent under a fault that cuts the answer.
std::size_t cut_at(const fault& f, std::size_t head_bytes, std::size_t body_bytes);
/// flipped_byte: one bit of the body, if it has one.
void flip(const fault& f, std::string& body);

}  // namespace dynabackup::fakes
