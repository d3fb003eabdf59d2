#include "s3/lifecycle.hpp"

#include <algorithm>
#include <charconv>
#include <pugixml.hpp>

#include "dynabackup/error.hpp"

namespace dynabackup::s3 {
namespace {

/// Days of a rule; what cannot be read counts as none at all: at once.
std::chrono::days days_of(pugi::xml_node action, const char* name) {
  const std::string_view text = action.child_value(name);
  unsigned days = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), days);
  if (problem != std::errc{} || end != text.data() + text.size() || days > 1'000'000) return std::chrono::days{0};
  return std::chrono::days{days};
}

/// Classes whose objects have to be restored before they can be read (S3 User Guide, "archived objects").
bool is_archive(pugi::xml_node transition) {
  const std::string_view storage = transition.child_value("StorageClass");
  return storage == "GLACIER" || storage == "DEEP_ARCHIVE";
}

lifecycle_rule read_rule(pugi::xml_node rule) {
  lifecycle_rule read;
  read.id = rule.child_value("ID");
  const pugi::xml_node filter = rule.child("Filter");
  // The prefix stands in the rule itself (as of 2010), in its filter, or in the filter's And.
  for (const pugi::xml_node place : {rule, filter, filter.child("And")}) {
    if (const pugi::xml_node prefix = place.child("Prefix")) read.prefix = prefix.child_value();
    read.tagged = read.tagged || place.child("Tag");
  }
  const pugi::xml_node expiration = rule.child("Expiration");
  read.expires_current = expiration.child("Days") || expiration.child("Date");
  if (const pugi::xml_node old = rule.child("NoncurrentVersionExpiration"))
    read.noncurrent = days_of(old, "NoncurrentDays");
  for (const pugi::xml_node each : rule.children("Transition"))
    read.archives_current = read.archives_current || is_archive(each);
  for (const pugi::xml_node each : rule.children("NoncurrentVersionTransition"))
    if (is_archive(each)) {
      const std::chrono::days after = days_of(each, "NoncurrentDays");
      read.archives_noncurrent = std::min(read.archives_noncurrent.value_or(after), after);
    }
  return read;
}

}  // namespace

std::vector<lifecycle_rule> read_lifecycle(std::string_view body) {
  pugi::xml_document document;
  const bool parsed = document.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
  const pugi::xml_node root = document.document_element();
  if (!parsed || root.name() != std::string_view("LifecycleConfiguration"))
    throw format_error("S3's GetBucketLifecycleConfiguration answer cannot be read");
  std::vector<lifecycle_rule> rules;
  for (const pugi::xml_node rule : root.children("Rule"))
    if (rule.child_value("Status") != std::string_view("Disabled")) rules.push_back(read_rule(rule));
  return rules;
}

}  // namespace dynabackup::s3
