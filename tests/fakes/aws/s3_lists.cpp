// ListObjectsV2 and ListObjectVersions: pages in key order, common prefixes, markers that lead on.
#include <algorithm>
#include <fmt/format.h>

#include "fakes/aws/s3_service.hpp"
#include "text/codecs.hpp"

namespace dynabackup::fakes::s3_store {
namespace {

using entries = key_table::entries;
using place = key_table::place;

/// What both lists have in common: which keys, how they are spelled, how many still fit.
struct list_terms {
  list_terms(const s3_call& call, int most)
      : prefix(call.parameter_or("prefix", "")),
        delimiter(call.parameter_or("delimiter", "")),
        asked(call.number("max-keys", 1000, 1'000'000'000)),
        left(std::min(asked, most)),
        encoded(call.parameter_or("encoding-type", "") == "url") {
    if (call.parameter("encoding-type") != nullptr && !encoded) {
      throw refusal{400, "InvalidArgument", "Invalid Encoding Method specified in Request"};
    }
  }

  [[nodiscard]] std::string spelled(std::string_view key) const {
    if (!encoded) return std::string(key);
    std::string text = text::percent_encode(key, true);
    for (std::size_t at = 0; (at = text.find("%20", at)) != std::string::npos;) text.replace(at, 3, "+");
    return text;
  }
  /// The common prefix that a key is folded into, or nothing.
  [[nodiscard]] std::string_view group_of(std::string_view key) const {
    if (delimiter.empty()) return {};
    const std::size_t end = key.find(delimiter, prefix.size());
    return end == std::string_view::npos ? std::string_view{} : key.substr(0, end + delimiter.size());
  }

  std::string prefix;
  std::string delimiter;
  int asked;
  int left;
  bool encoded;
};

/// The first key that does not begin with `prefix` and lies behind those that do.
place behind(const entries& keys, std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return keys.end();
  prefix.back() = static_cast<char>(prefix.back() + 1);
  return key_table::lower_bound(keys, prefix);
}

void append_head(std::string& out, const s3_call& call, const list_terms& terms) {
  append_element(out, "Name", call.bucket);
  append_element(out, "Prefix", terms.spelled(terms.prefix));
  if (!terms.delimiter.empty()) append_element(out, "Delimiter", terms.spelled(terms.delimiter));
  append_element(out, "MaxKeys", std::to_string(terms.asked));
  if (terms.encoded) append_element(out, "EncodingType", "url");
}

void append_group(std::string& out, std::string_view group, const list_terms& terms) {
  out += "<CommonPrefixes>";
  append_element(out, "Prefix", terms.spelled(group));
  out += "</CommonPrefixes>";
}

void append_object_facts(std::string& out, const version& v) {
  append_element(out, "LastModified", list_time(v.last_modified));
  if (v.marker()) return;
  append_element(out, "ETag", quoted(v.tag.text()));
  append_element(out, "Size", std::to_string(v.body->size()));
  append_element(out, "StorageClass", "STANDARD");
}

// A continuation token is "k" + the last key, or "g" + the last common prefix, in base64.
std::string token_of(char kind, std::string_view last) { return text::base64(kind + std::string(last)); }

place start_of(const s3_call& call, const entries& keys, const std::string& prefix) {
  auto start = key_table::lower_bound(keys, prefix);
  const auto later = [&](place other) { start = std::max(start, other); };
  if (const std::string* const token = call.parameter("continuation-token")) {
    const auto last = text::unbase64(*token);
    if (!last || last->empty() || (last->front() != 'k' && last->front() != 'g')) {
      throw refusal{400, "InvalidArgument", "The continuation token provided is incorrect"};
    }
    later(last->front() == 'k' ? key_table::upper_bound(keys, last->substr(1)) : behind(keys, last->substr(1)));
  } else if (const std::string* const after = call.parameter("start-after"); after != nullptr && !after->empty()) {
    later(key_table::upper_bound(keys, *after));
  }
  return start;
}

}  // namespace

response s3_service::list_objects_v2(const s3_call& call) {
  const bucket& in = bucket_of(call);
  list_terms terms(call, traits_.list_page);
  const bool none_wanted = terms.left == 0;
  const entries& keys = in.keys.ordered();
  std::string objects;
  std::string groups;
  std::string next;
  std::string last;
  int count = 0;
  for (auto at = start_of(call, keys, terms.prefix); at != keys.end() && !none_wanted;) {
    const auto& [key, versions] = **at;
    if (!key.starts_with(terms.prefix)) break;
    const version& v = versions.back();
    if (v.marker()) {
      ++at;
      continue;
    }
    if (count == terms.left) {
      next = last;
      break;
    }
    ++count;
    if (const std::string_view group = terms.group_of(key); !group.empty()) {
      append_group(groups, group, terms);
      last = token_of('g', group);
      at = behind(keys, std::string(group));
      continue;
    }
    objects += "<Contents>";
    append_element(objects, "Key", terms.spelled(key));
    append_object_facts(objects, v);
    objects += "</Contents>";
    if (count == terms.left) last = token_of('k', key);
    ++at;
  }
  std::string body;
  append_head(body, call, terms);
  if (const std::string* const after = call.parameter("start-after")) {
    append_element(body, "StartAfter", terms.spelled(*after));
  }
  if (const std::string* const token = call.parameter("continuation-token")) {
    append_element(body, "ContinuationToken", *token);
  }
  append_element(body, "KeyCount", std::to_string(count));
  append_element(body, "IsTruncated", next.empty() ? "false" : "true");
  if (!next.empty()) append_element(body, "NextContinuationToken", next);
  return replies_.xml(document("ListBucketResult", body + objects + groups));
}

namespace {

/// A place in a list of versions: a key, and how many of its versions (newest first) are behind us.
struct version_place {
  place key;
  std::size_t skip = 0;
};

std::size_t versions_up_to(const chain& versions, std::string_view id) {
  for (std::size_t i = 0; i < versions.size(); ++i)
    if (versions[versions.size() - 1 - i].is(id)) return i + 1;
  // It is gone by now: on with what is older than it was.
  const std::optional<std::uint64_t> sequence = sequence_of_id(id);
  if (!sequence) return versions.size();
  return static_cast<std::size_t>(
      std::ranges::count_if(versions, [&](const version& v) { return v.sequence >= *sequence; }));
}

version_place first_place(const s3_call& call, const entries& keys, const list_terms& terms) {
  const std::string marker = call.parameter_or("key-marker", "");
  const std::string id = call.parameter_or("version-id-marker", "");
  if (marker.empty() && !id.empty()) {
    throw refusal{400, "InvalidArgument", "A version-id marker cannot be specified without a key marker."};
  }
  if (marker < terms.prefix || marker.empty()) return {key_table::lower_bound(keys, terms.prefix)};
  // A marker that is a common prefix stands for all of it.
  if (id.empty() && terms.group_of(marker) == marker && !terms.delimiter.empty()) return {behind(keys, marker)};
  if (id.empty()) return {key_table::upper_bound(keys, marker)};
  const place found = key_table::lower_bound(keys, marker);
  if (found == keys.end() || (*found)->key != marker) return {found};
  const std::size_t skip = versions_up_to((*found)->versions, id);
  return skip < (*found)->versions.size() ? version_place{found, skip} : version_place{std::next(found)};
}

void append_version(std::string& out, std::string_view key, const version& v, bool latest, const list_terms& terms) {
  const std::string_view name = v.marker() ? "DeleteMarker" : "Version";
  out.append("<").append(name).append(">");
  append_element(out, "Key", terms.spelled(key));
  append_element(out, "VersionId", v.id());
  append_element(out, "IsLatest", latest ? "true" : "false");
  append_object_facts(out, v);
  out.append("</").append(name).append(">");
}

/// What one page of versions has so far.
struct version_page {
  std::string entries;
  std::string groups;
  std::string last_key;
  std::string last_id;
  bool truncated = false;
};

version_page read_versions(const entries& keys, version_place at, list_terms& terms) {
  version_page page;
  const bool none_wanted = terms.left == 0;
  while (at.key != keys.end() && (*at.key)->key.starts_with(terms.prefix) && !none_wanted) {
    if (terms.left == 0) {
      page.truncated = true;
      break;
    }
    --terms.left;
    const auto& [key, versions] = **at.key;
    page.last_id.clear();
    if (const std::string_view group = terms.group_of(key); !group.empty()) {
      append_group(page.groups, group, terms);
      page.last_key = group;
      at = {behind(keys, std::string(group))};
      continue;
    }
    const version& v = versions[versions.size() - 1 - at.skip];
    append_version(page.entries, key, v, at.skip == 0, terms);
    page.last_key = key;
    page.last_id = v.id();
    if (++at.skip == versions.size()) at = {std::next(at.key)};
  }
  return page;
}

}  // namespace

response s3_service::list_object_versions(const s3_call& call) {
  const bucket& in = bucket_of(call);
  list_terms terms(call, traits_.list_page);
  const entries& keys = in.keys.ordered();
  const version_page page = read_versions(keys, first_place(call, keys, terms), terms);
  std::string body;
  append_head(body, call, terms);
  append_element(body, "KeyMarker", terms.spelled(call.parameter_or("key-marker", "")));
  append_element(body, "VersionIdMarker", call.parameter_or("version-id-marker", ""));
  append_element(body, "IsTruncated", page.truncated ? "true" : "false");
  if (page.truncated) {
    append_element(body, "NextKeyMarker", terms.spelled(page.last_key));
    if (!page.last_id.empty()) append_element(body, "NextVersionIdMarker", page.last_id);
  }
  return replies_.xml(document("ListVersionsResult", body + page.entries + page.groups));
}

}  // namespace dynabackup::fakes::s3_store
