#include "pipelines/small_file.hpp"

#include <algorithm>
#include <iterator>
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

task<std::vector<s3::listed_object>> list_all(run_context& run, std::string bucket, std::string prefix) {
  std::vector<s3::listed_object> found;
  s3::list_options options{.prefix = std::move(prefix)};
  do {
    s3::list_page page = co_await run.objects.list_objects_v2(bucket, options);
    std::move(page.objects.begin(), page.objects.end(), std::back_inserter(found));
    options.token = std::move(page.next);
  } while (options.token);
  co_return found;
}

}  // namespace dynabackup::pipelines
