// The shared AWS files: a NUL parts the config file from the credentials file.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "aws/profile_chain.hpp"
#include "aws/profile_file.hpp"
#include "dynabackup/error.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_sections(const std::map<std::string, dynabackup::aws::properties, std::less<>>& sections) {
  for (const auto& [title, values] : sections) {
    require(!title.empty() && title.find_first_of(" \t\r\n[]#;=") == std::string::npos);
    for (const auto& [name, value] : values) {
      require(!name.empty() && name.find_first_of(" \t\r\n=ABCXYZ") == std::string::npos);
      for (const auto& [inner_name, inner] : dynabackup::aws::sub_properties(value)) {
        require(!inner_name.empty() && inner.find('\n') == std::string::npos);
      }
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto middle = text.find('\0');
  const auto config = text.substr(0, middle);
  const auto credentials = middle == std::string_view::npos ? std::string_view{} : text.substr(middle + 1);
  try {
    const auto set = dynabackup::aws::parse_profiles(config, credentials);
    check_sections(set.profiles);
    check_sections(set.sso_sessions);
    check_sections(set.services);
    for (const auto& [name, values] : set.profiles) {
      const auto chain = dynabackup::aws::resolve_profile(set, name);
      require(chain.problem.empty() != chain.steps.empty());
    }
  } catch (const dynabackup::format_error& e) {
    const std::string_view what = e.what();
    require(what.starts_with("AWS config file: line ") || what.starts_with("AWS credentials file: line "));
  }
  return 0;
}
