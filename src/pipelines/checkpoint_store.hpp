// Where checkpoints are kept: in the bucket (a backfill; a restore with --state s3) or in a local folder (a restore).
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

struct saved_checkpoint {
  std::string body;
  s3::time_point at{};  ///< when it was saved, by the clock of where it is kept
};

/// One checkpoint under one name.
class checkpoint_store {
 public:
  virtual ~checkpoint_store() = default;
  [[nodiscard]] virtual std::string name() const = 0;
  virtual task<std::optional<saved_checkpoint>> load() = 0;
  virtual task<void> save(std::string body) = 0;
  /// With all its versions. Never fails: the work is done by then, and a notice tells what stays.
  virtual task<void> remove() = 0;
};

std::unique_ptr<checkpoint_store> checkpoint_in_bucket(run_context& run, std::string bucket, std::string key);
/// `folder` is made, readable by its owner alone, when something is saved. Saving replaces the file in one step.
std::unique_ptr<checkpoint_store> checkpoint_in_folder(std::string folder, std::string name);

}  // namespace dynabackup::pipelines
