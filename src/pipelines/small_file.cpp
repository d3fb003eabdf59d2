#include "pipelines/small_file.hpp"

#include <utility>

namespace dynabackup::pipelines {
namespace {

constexpr std::size_t small_file_bytes = 1 << 20;

}  // namespace

task<std::optional<std::string>> read_small(run_context& run, std::string bucket, std::string key) {
  std::optional<s3::object_body> found = co_await run.objects.get_object(bucket, key, {});
  if (!found) co_return std::nullopt;
  if (found->answer.body.size() > small_file_bytes)
    throw format_error("s3://" + bucket + "/" + key + " is larger than any file of ours");
  co_return std::move(found->answer.body);
}

}  // namespace dynabackup::pipelines
