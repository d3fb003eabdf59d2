// One Lambda event of a DynamoDB stream, recorded.
#pragma once
#include <map>
#include <memory>
#include <string>

#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "pipelines/recorder.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// By prefix and stream: what earlier events have taught.
using known_streams = std::map<std::string, std::shared_ptr<recorder_knowledge>>;

struct record_order {
  record_options what;
  std::string event_json;
  known_streams& known;  ///< outlives the task
};

task<report> record_changes(run_context& run, record_order order);

}  // namespace dynabackup::pipelines
