// What the changes of one batch share while they are recorded, and how one key's changes are: the inside of recorder.
#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "archive/canonical_json.hpp"
#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "dynamodb/stream_records.hpp"
#include "pipelines/recorder.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// References outlive it. Records are known by their position in the batch.
struct recording {
  run_context& run;
  const record_options& what;
  const std::string& label;
  recorder_knowledge& known;
  archive::canonicalizer& canonical;
  byte_budget& bodies;
  const dynamodb::stream_records& batch;
  recorded out{};
  std::vector<bool> settled{};
  std::optional<std::size_t> first_failed{};
  std::size_t failures_in_a_row = 0;  ///< keys

  [[nodiscard]] const dynamodb::stream_record& record(std::size_t position) const { return batch.records[position]; }
  void settle(std::size_t position);
  void fail(std::size_t position, const std::string& why);
};

/// One key's changes, by rising sequence number.
struct key_changes {
  std::string object;         ///< in the bucket
  std::string canonical_key;  ///< what the object is named after
  std::vector<std::size_t> positions{};
};

/// Records them in order up to the first that fails. Never throws for that; a cancellation is thrown on.
task<void> record_key(recording& all, key_changes changes);

/// A record that cannot be read, into the bucket, and a gap beside it; an error where the user wants no dead letters.
task<void> set_aside(recording& all, std::size_t position, std::string why);

}  // namespace dynabackup::pipelines
