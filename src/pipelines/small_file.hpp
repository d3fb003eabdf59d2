// The small JSON documents of a prefix: listed, and read whole, with the object's name in every complaint.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dynabackup/error.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// nullopt when there is no such object; format_error when it is larger than any of ours.
task<std::optional<std::string>> read_small(run_context& run, std::string bucket, std::string key);

/// Every object whose key begins with `prefix`: for bookkeeping, of which there is little.
task<std::vector<s3::listed_object>> list_all(run_context& run, std::string bucket, std::string prefix);

template <class Record>
Record read_named(const std::string& bucket, const std::string& key, const std::string& body,
                  Record (*read)(std::string_view)) {
  try {
    return read(body);
  } catch (const format_error& e) {
    throw format_error("s3://" + bucket + "/" + key + ": " + e.what());
  }
}

}  // namespace dynabackup::pipelines
