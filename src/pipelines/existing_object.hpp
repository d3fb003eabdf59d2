// "Already there" is no proof (design section 6): what an object in an item's place means for a backfill.
#pragma once
#include <string>

#include "archive/canonical_json.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

enum class standing {
  nothing,   ///< no object, or a delete marker
  equal,     ///< it holds what the table holds
  newer,     ///< the stream wrote or deleted it since the run began
  different  ///< neither: left alone, counted, exit code 3
};

struct existing_object {
  run_context& run;
  std::string bucket;
  std::string table;
  std::string run_started;  ///< RFC 3339, by the bucket's clock

  /// HEADs `object` and judges it against `md5`, the body we would store; a consistent GetItem decides what that leaves
  /// open.
  task<standing> look(std::string object, std::string key_json, std::string md5, archive::canonicalizer& canonical);
  /// Whether a consistent GetItem gives the item whose stored body has that md5.
  task<bool> table_still_has(std::string key_json, std::string md5, archive::canonicalizer& canonical);

 private:
  task<std::string> md5_in_table(std::string key_json, archive::canonicalizer& canonical);
  task<std::string> md5_in_bucket(std::string object, const s3::object_head& head);
};

}  // namespace dynabackup::pipelines
