// The lists of S3 and its lifecycle rules: read or refused; a truncated page says where to go on.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "dynabackup/error.hpp"
#include "s3/lifecycle.hpp"
#include "s3/listing.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace dynabackup;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  try {
    const s3::list_page page = s3::read_list_page(body);
    if (page.next && page.next->empty()) std::abort();
    for (const s3::listed_object& object : page.objects)
      if (object.key.empty()) std::abort();
  } catch (const format_error&) {
  }
  try {
    const s3::version_page page = s3::read_version_page(body);
    if (page.next_key_marker && page.next_key_marker->empty()) std::abort();
    for (const s3::listed_version& version : page.versions)
      if (version.key.empty() || version.version_id.empty()) std::abort();
  } catch (const format_error&) {
  }
  try {
    const auto uploads = s3::read_upload_page(body);
    for (const s3::listed_upload& upload : uploads)
      if (upload.key.empty() || upload.upload_id.empty()) std::abort();
  } catch (const format_error&) {
  }
  try {
    for (const s3::lifecycle_rule& rule : s3::read_lifecycle(body))
      if (rule.noncurrent && rule.noncurrent->count() < 0) std::abort();
  } catch (const format_error&) {
  }
  return 0;
}
