// Whether somebody else may record the same stream: functions in AWS Lambda, which take no lease.
#pragma once
#include <string>

#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// A warning that names the functions to which an enabled mapping hands the stream. Empty where there is none, where
/// Lambda is not to be asked, and where it says nothing of use within three seconds.
task<std::string> warning_of_functions(run_context& run, std::string stream_arn, s3_location home);

}  // namespace dynabackup::pipelines
