// Any bytes as a configuration file: entries, or a usage_error that names the place; then the whole resolution.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "apps/configuration/configuration.hpp"
#include "dynabackup/error.hpp"

using namespace dynabackup;

namespace {

std::optional<std::string> variable(const std::string& name) {
  return name == "SET" ? std::optional<std::string>("16") : std::nullopt;
}

void check_entries(std::string_view text) {
  for (const apps::config_entry& entry : apps::parse_config("f", text, variable)) {
    const bool sound = !entry.key.empty() && entry.key_at.line >= 1 && entry.key_at.column >= 1 &&
                       entry.value_at.line >= entry.key_at.line && !(entry.block && entry.value);
    if (!sound) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    check_entries(text);
    apps::configuration_sources sources;
    sources.file_name = "f";
    sources.file_text = std::string(text);
    sources.variables = variable;
    sources.profile_value = [](std::string_view) { return std::optional<std::string>(); };
    apps::to_settings(apps::resolve(sources), {});
  } catch (const usage_error& e) {
    if (std::string_view(e.what()).empty()) std::abort();
  }
  return 0;
}
