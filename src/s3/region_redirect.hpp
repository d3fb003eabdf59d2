// Where S3 sends a request that came to, or was signed for, another region than its bucket's (S3 User Guide, "Making
// requests using the REST API: request redirection"). Pure. The host is always built anew from the region: only a 307,
// by which S3 covers for DNS in a bucket's first hours, may name one, and only one of S3's own.
#pragma once
#include <optional>
#include <string>

#include "aws/endpoints.hpp"
#include "dynabackup/http.hpp"

namespace dynabackup::s3 {

/// S3 did not look at the request because of its region. A HEAD is told so without a word: a bare 400 may be one.
bool is_misdirected(const request& r, const response& answer);

/// The bucket's region: x-amz-bucket-region, else <Region>; empty where none is named that could be one.
std::string region_named_by(const response& answer);

/// Whether both are endpoints of AWS under one domain. A custom endpoint has no domain but its own host.
bool same_domain(const aws::endpoint& a, const aws::endpoint& b);

/// Where the Location of a 307 leads: the same bucket and target at another host of S3 in the same domain, over TLS as
/// before. Nothing where it leads anywhere else.
std::optional<origin> temporary_host(const request& r, const response& answer);

}  // namespace dynabackup::s3
