// One version of an item's object, read: whose it is, when it came, what the item was then.
#pragma once
#include <string>

#include "dynabackup/item_versions.hpp"
#include "dynamodb/table_description.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

struct version_reader {
  run_context& run;
  std::string bucket;
  dynamodb::key_schema schema;
  std::string key;  ///< canonical: which item it must be

  /// A version that cannot be read as this item says so in its `problem`; no more is asked of the bucket than the
  /// listing said there is.
  task<item_version> read(s3::listed_version listed);
};

}  // namespace dynabackup::pipelines
