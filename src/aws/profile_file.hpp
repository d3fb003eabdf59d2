// The grammar of ~/.aws/config and ~/.aws/credentials (AWS SDKs and Tools Reference Guide, "Shared config and
// credentials files"), held by the public parser vectors. Pure: text in, sections out.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dynabackup::aws {

/// Lower-case names; continuation lines joined by '\n'.
using properties = std::map<std::string, std::string, std::less<>>;

struct profile_set {
  std::map<std::string, properties, std::less<>> profiles;
  std::map<std::string, properties, std::less<>> sso_sessions;
  std::map<std::string, properties, std::less<>> services;
  std::vector<std::string> warnings;  ///< dropped sections and properties, one sentence each
};

/// Both files merged: per key the credentials file wins. format_error names file kind and line, never a value.
profile_set parse_profiles(std::string_view config_file, std::string_view credentials_file);

/// `name`'s nested "key = value" lines of a sub-property block ("s3 =" followed by indented lines).
properties sub_properties(std::string_view value);

/// The value of `name`, nullopt when it is absent or empty.
std::optional<std::string> value_of(const properties& from, std::string_view name);

}  // namespace dynabackup::aws
