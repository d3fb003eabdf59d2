#include "s3/listing.hpp"

#include <charconv>
#include <fmt/format.h>
#include <pugixml.hpp>

#include "dynabackup/error.hpp"
#include "s3/answer.hpp"
#include "text/codecs.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::s3 {
namespace {

/// The children of one answer's root, with the rules that hold for all of them.
class answer {
 public:
  answer(std::string_view body, const char* root) : root_name_(root) {
    const auto parsed = document_.load_buffer(body.data(), body.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!parsed) fail(parsed.description());
    root_ = document_.document_element();
    if (root_.name() != std::string_view(root)) fail("another root element");
    if (root_.next_sibling()) fail("a second root element");
    encoded_ = root_.child_value("EncodingType") == std::string_view("url");
  }

  [[nodiscard]] pugi::xml_node root() const { return root_; }

  [[nodiscard]] std::string decoded(std::string_view text) const {
    return encoded_ ? text::percent_decode(text, true) : std::string(text);
  }
  [[nodiscard]] std::string key(pugi::xml_node of) const {
    std::string key = decoded(of.child_value("Key"));
    if (key.empty()) fail("an entry without Key");
    return key;
  }
  [[nodiscard]] std::uint64_t size(pugi::xml_node of) const {
    const std::string_view text = of.child_value("Size");
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) fail("an entry without Size");
    return size;
  }
  [[nodiscard]] time_point time(pugi::xml_node of, const char* name) const {
    const auto time = text::parse_rfc3339(of.child_value(name));
    if (!time) fail(fmt::format("an entry without {}", name));
    return *time;
  }
  [[nodiscard]] time_point last_modified(pugi::xml_node of) const { return time(of, "LastModified"); }
  [[nodiscard]] bool flag(pugi::xml_node of, const char* name) const {
    const std::string_view text = of.child_value(name);
    if (text != "true" && text != "false") fail(fmt::format("{} is neither true nor false", name));
    return text == "true";
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw format_error(fmt::format("S3's {} answer: {}", root_name_, problem));
  }

 private:
  const char* root_name_;
  pugi::xml_document document_;
  pugi::xml_node root_;
  bool encoded_ = false;
};

}  // namespace

list_page read_list_page(std::string_view body) {
  const answer list(body, "ListBucketResult");
  list_page page;
  for (const pugi::xml_node entry : list.root().children("Contents")) {
    page.objects.push_back(
        {list.key(entry), unquoted(entry.child_value("ETag")), list.size(entry), list.last_modified(entry)});
  }
  for (const pugi::xml_node group : list.root().children("CommonPrefixes")) {
    for (const pugi::xml_node prefix : group.children("Prefix")) {
      page.common_prefixes.push_back(list.decoded(prefix.child_value()));
    }
  }
  if (list.flag(list.root(), "IsTruncated")) {
    page.next = list.root().child_value("NextContinuationToken");
    if (page.next->empty()) list.fail("it is truncated and has no NextContinuationToken");
  }
  return page;
}

version_page read_version_page(std::string_view body) {
  const answer list(body, "ListVersionsResult");
  version_page page;
  for (const pugi::xml_node entry : list.root().children()) {
    const bool marker = entry.name() == std::string_view("DeleteMarker");
    if (!marker && entry.name() != std::string_view("Version")) continue;
    listed_version version;
    version.key = list.key(entry);
    version.version_id = entry.child_value("VersionId");
    if (version.version_id.empty()) list.fail("an entry without VersionId");
    version.is_latest = list.flag(entry, "IsLatest");
    version.last_modified = list.last_modified(entry);
    version.delete_marker = marker;
    if (!marker) {
      version.etag = unquoted(entry.child_value("ETag"));
      version.size = list.size(entry);
    }
    page.versions.push_back(std::move(version));
  }
  if (list.flag(list.root(), "IsTruncated")) {
    // Ceph 16 leaves this one key unencoded: what names the last entry as it stands is not decoded.
    const std::string_view marker = list.root().child_value("NextKeyMarker");
    const bool plain = !page.versions.empty() && page.versions.back().key == marker;
    page.next_key_marker = plain ? std::string(marker) : list.decoded(marker);
    page.next_version_id_marker = list.root().child_value("NextVersionIdMarker");
    if (page.next_key_marker->empty()) list.fail("it is truncated and has no NextKeyMarker");
  }
  return page;
}

std::vector<listed_upload> read_upload_page(std::string_view body) {
  const answer list(body, "ListMultipartUploadsResult");
  std::vector<listed_upload> uploads;
  for (const pugi::xml_node entry : list.root().children("Upload")) {
    uploads.push_back({list.key(entry), entry.child_value("UploadId"), list.time(entry, "Initiated")});
    if (uploads.back().upload_id.empty()) list.fail("an entry without UploadId");
  }
  return uploads;
}

}  // namespace dynabackup::s3
