// What Lambda's ListEventSourceMappings says, page by page: which function reads which stream or queue. Pure.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::aws {

struct event_source_mapping {
  std::string uuid;        ///< hexadecimal digits and hyphens: fit for a command line
  std::string function;    ///< ARN, with the alias or version where one is meant
  std::string source_arn;  ///< of the stream or queue; empty where it has none
  std::string state;       ///< Creating, Enabling, Enabled, Disabling, Disabled, Updating, Deleting

  /// The function is invoked, or will be.
  [[nodiscard]] bool is_on() const;
};

struct mapping_page {
  std::vector<event_source_mapping> mappings;
  std::optional<std::string> next;  ///< NextMarker
};

/// format_error when members we need are missing, mistyped, or made of what they are never made of.
mapping_page read_event_source_mappings(std::string_view body);

}  // namespace dynabackup::aws
