#include "pipelines/other_recorders.hpp"

#include <chrono>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "dynabackup/error.hpp"

namespace dynabackup::pipelines {
namespace {

/// Nobody waits longer for what is only good to know.
constexpr std::chrono::seconds patience{3};
/// One line must stay readable.
constexpr std::size_t most_named = 3;

using mappings = std::vector<aws::event_source_mapping>;

/// Those that are on; none when Lambda cannot be asked: to follow takes no right to do so.
task<mappings> enabled_mappings(aws::lambda_client& functions, std::string stream_arn) {
  mappings found;
  try {
    found = co_await functions.event_source_mappings(std::move(stream_arn), patience);
  } catch (const error&) {
    found.clear();
  }
  std::erase_if(found, [](const aws::event_source_mapping& m) { return !m.is_on(); });
  co_return found;
}

std::string names_of(const mappings& on) {
  std::string names;
  for (std::size_t i = 0; i < on.size() && i < most_named; ++i)
    names += fmt::format("{}{} (mapping {}, {})", i == 0 ? "" : ", ", on[i].function, on[i].uuid, on[i].state);
  if (on.size() > most_named) names += fmt::format(" and {} more", on.size() - most_named);
  return names;
}

}  // namespace

task<std::string> warning_of_functions(run_context& run, std::string stream_arn, s3_location home) {
  if (run.functions == nullptr) co_return std::string();
  const mappings on = co_await enabled_mappings(*run.functions, std::move(stream_arn));
  if (on.empty()) co_return std::string();
  const bool one = on.size() == 1;
  co_return fmt::format(
      "{} the same stream: {}. If {} records under {} too, two recorders work on one prefix, and no lease keeps them "
      "apart: stop one, the function by `aws lambda update-event-source-mapping --uuid {} --no-enabled`",
      one ? "a function in AWS Lambda reads" : "functions in AWS Lambda read", names_of(on), one ? "it" : "one of them",
      home.text(), on.front().uuid);
}

}  // namespace dynabackup::pipelines
