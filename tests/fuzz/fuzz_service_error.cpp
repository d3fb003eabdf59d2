// Error bodies of any kind: the first byte picks the status, the rest is the body and also the headers.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "aws/service_error.hpp"
#include "text/codecs.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_text(const std::string& text, std::size_t most) {
  require(text.size() <= most && dynabackup::text::valid_utf8(text));
  for (const char c : text) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

void check_failure(const dynabackup::service_failure& f, int status) {
  require(f.status == status && f.attempts >= 1);
  check_text(f.code, 128);
  check_text(f.message, 500);
  check_text(f.request_id, 128);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array<int, 8> statuses{200, 301, 400, 403, 404, 429, 500, 503};
  dynabackup::response answer;
  answer.status = statuses[data[0] % statuses.size()];
  answer.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  for (const bool with_headers : {false, true}) {
    if (with_headers) {
      for (const char* name :
           {"x-amzn-errortype", "x-amzn-RequestId", "x-amz-bucket-region", "x-dynabackup-attempts"}) {
        answer.headers.push_back({name, answer.body});
      }
    }
    check_failure(dynabackup::aws::read_json_failure(answer), answer.status);
    check_failure(dynabackup::aws::read_xml_failure(answer), answer.status);
  }
  return 0;
}
