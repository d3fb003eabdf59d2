// Every item object under a prefix, as it is or as it was at a past moment, told one by one while its pages are listed:
// memory holds a few pages, whatever the bucket does.
#pragma once
#include <chrono>
#include <string>

#include "dynabackup/s3_location.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// What moments are compared by: stores tell some times in whole seconds.
inline std::chrono::sys_seconds second_of(s3::time_point t) { return std::chrono::floor<std::chrono::seconds>(t); }

class item_visitor {
 public:
  virtual ~item_visitor() = default;
  /// An item of ours; `version_id` is empty where the current version is meant.
  virtual task<void> item(s3::listed_version found) = 0;
  /// An object that is none, by its name.
  virtual void stranger(const std::string& key) = 0;
  /// A version of an item that came after the moment that was asked for.
  virtual void later(s3::listed_version /*found*/) {}
};

/// The current objects.
task<void> list_items(run_context& run, s3_location home, item_visitor& to);

/// Of each name the newest version that arrived at or before that second, by Last-Modified, and among those the one
/// that the list puts first; nothing where that is a delete marker.
task<void> list_items_at(run_context& run, s3_location home, std::chrono::sys_seconds at, item_visitor& to);

}  // namespace dynabackup::pipelines
