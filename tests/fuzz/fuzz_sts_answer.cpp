// STS's XML of any kind: credentials fit for a header come out, or a format_error that shows none of it.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "aws/credential_answer.hpp"
#include "dynabackup/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const char* operation : {"AssumeRole", "AssumeRoleWithWebIdentity"}) {
    try {
      const auto found = dynabackup::aws::read_sts_credentials(body, operation);
      for (const std::string& word : {found.access_key_id, found.secret_access_key, found.session_token})
        if (word.empty() || !dynabackup::aws::is_header_word(word)) std::abort();
      if (!found.expires) std::abort();
    } catch (const dynabackup::format_error& e) {
      if (std::string_view(e.what()).size() > 200) std::abort();
    }
  }
  return 0;
}
