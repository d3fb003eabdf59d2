// The canonical request, the first stage of a signature, appended to a text under way.
#pragma once
#include <boost/container/small_vector.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "aws/sigv4.hpp"

namespace dynabackup::aws::sigv4 {

/// Names of headers, compared without case.
bool same_name(std::string_view a, std::string_view b);

/// What takes part in the signature; headers of one name stay in the order they are sent in.
struct signed_header {
  std::string_view name;  ///< in whatever case
  std::string_view value;
  std::size_t position;
};
using signed_headers = boost::container::small_vector<signed_header, 16>;

/// Sorted views of `headers`, and of `host` where it is not among them.
signed_headers signable(const std::vector<header>& headers, std::string_view host);

/// "name;name;name"
void append_names(std::string& out, const signed_headers& headers);

struct signed_parts {
  std::string_view method, target;
  const signed_headers& headers;
  std::string_view payload_hash;
};
void append_canonical_request(std::string& out, const signed_parts& parts, const rules& dialect);

}  // namespace dynabackup::aws::sigv4
