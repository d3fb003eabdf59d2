// What the function's environment says: which function it is, and how it does its work.
#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "apps/configuration/process_settings.hpp"
#include "dynabackup/settings.hpp"

namespace dynabackup::bootstrap {

enum class function { backup, snapshot, restore };
std::string_view name_of(function which);

/// _HANDLER: "backup", "snapshot", "restore", or as the older Scala tool spelled them; nullopt for anything else.
std::optional<function> function_named(std::string_view handler);

struct function_settings {
  function what = function::backup;
  apps::configuration in_force;
  settings library;
  bool partial_batch = false;  ///< DYNABACKUP_PARTIAL_BATCH: the mapping has ReportBatchItemFailures
  bool coalesce = false;       ///< DYNABACKUP_COALESCE
  bool dead_letters = false;   ///< DYNABACKUP_DEAD_LETTERS
  bool unversioned = false;    ///< DYNABACKUP_UNVERSIONED
  bool adopt = false;          ///< DYNABACKUP_ADOPT
  std::optional<std::chrono::seconds> http_budget;  ///< DYNABACKUP_HTTP_BUDGET
};

/// usage_error names the variable that is wrong or missing.
function_settings read_function_settings(function what, apps::process_settings around,
                                         const apps::environment& variables);

}  // namespace dynabackup::bootstrap
