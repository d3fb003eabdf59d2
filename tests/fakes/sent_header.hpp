// A header of a request as a test looks at it.
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/http.hpp"

namespace dynabackup::fakes {

/// The last header of exactly that name; empty where there is none.
inline std::string sent_header(const request& r, std::string_view name) {
  std::string found;
  for (const header& h : r.headers)
    if (h.name == name) found = h.value;
  return found;
}

}  // namespace dynabackup::fakes
