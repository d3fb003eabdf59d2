// A container agent's JSON of any kind, and its place: credentials fit for a header come out, or an error that shows
// none of it; a host over plain http is one of those allowed.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "aws/container_credentials.hpp"
#include "aws/credential_answer.hpp"
#include "dynabackup/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto found = dynabackup::aws::read_container_credentials(text);
    for (const std::string& word : {found.access_key_id, found.secret_access_key})
      if (word.empty() || !dynabackup::aws::is_header_word(word)) std::abort();
    if (!dynabackup::aws::is_header_word(found.session_token)) std::abort();
  } catch (const dynabackup::format_error& e) {
    if (std::string_view(e.what()).size() > 200) std::abort();
  }
  for (const bool relative : {true, false}) {
    try {
      const auto place = relative ? dynabackup::aws::container_place_of(text, std::nullopt)
                                  : dynabackup::aws::container_place_of(std::nullopt, text);
      if (!place.target.starts_with('/') || !dynabackup::aws::is_header_word(place.target)) std::abort();
      const std::string& host = place.where.host;
      const bool near = host.starts_with("127.") || host.starts_with("169.254.170.2") || host == "::1" ||
                        host == "fd00:ec2::23" || host == "localhost";
      if (!place.where.tls && !near) std::abort();
    } catch (const dynabackup::usage_error&) {
    }
  }
  return 0;
}
