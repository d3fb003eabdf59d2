// Redirects of any kind: the first byte picks the status, the rest is the body and also the headers. A region is fit
// for a host name; a host is S3's own.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "s3/region_redirect.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array<int, 5> statuses{301, 307, 400, 403, 200};
  dynabackup::request asked;
  asked.method = data[0] >= 0x80 ? "HEAD" : "GET";
  asked.to = {true, "bucket.s3.eu-west-1.amazonaws.com", 443};
  asked.target = "/k";
  asked.signing_region = "eu-west-1";
  dynabackup::response answer;
  answer.status = statuses[data[0] % statuses.size()];
  answer.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const bool with_headers : {false, true}) {
    if (with_headers) answer.headers = {{"x-amz-bucket-region", answer.body}, {"Location", answer.body}};
    dynabackup::s3::is_misdirected(asked, answer);
    const std::string region = dynabackup::s3::region_named_by(answer);
    if (region.size() > 32 || region.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos)
      std::abort();
    if (const auto host = dynabackup::s3::temporary_host(asked, answer)) {
      if (!host->tls || host->port != 443 || !host->host.starts_with("bucket.s3") ||
          !host->host.ends_with(".amazonaws.com"))
        std::abort();
    }
  }
  return 0;
}
