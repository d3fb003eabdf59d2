// An http or https URL taken apart (RFC 3986, the part that endpoints use).
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/http.hpp"

namespace dynabackup::http {

struct url {
  origin where;
  std::string path;  ///< base path without a trailing '/'; empty for none
};

/// "https://host[:port][/base/path]"; user info, query, fragment or another scheme is a usage_error naming the text.
url parse_url(std::string_view text);

}  // namespace dynabackup::http
