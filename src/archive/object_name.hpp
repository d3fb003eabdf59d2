// Where an item lies: prefix + lower hex SHA-256 of its canonical key (docs/format.md, "Item objects").
#pragma once
#include <string>
#include <string_view>

#include "dynabackup/s3_location.hpp"

namespace dynabackup::archive {

inline constexpr std::string_view bookkeeping = ".dynabackup/";

std::string object_name(std::string_view canonical_key);
/// 64 lower hex digits: the only names that are items.
bool is_object_name(std::string_view name);
std::string descriptor_key(const s3_location& home);
std::string run_key(const s3_location& home, std::string_view run_id);
/// `name`: "backfill-<run id>", "restore-<hash>".
std::string checkpoint_key(const s3_location& home, std::string_view name);
/// Of the note that an upload of a snapshot is under way.
std::string upload_key(const s3_location& home, std::string_view id);
std::string probe_key(const s3_location& home, std::string_view run_id);
/// `<prefix>/.dynabackup/<name>.manifest.json`
std::string manifest_key(const s3_location& home, std::string_view snapshot_name);

/// The body of an item object: {"Item":<canonical item>}.
inline constexpr std::string_view body_head = R"({"Item":)";
inline constexpr std::string_view body_tail = "}";

}  // namespace dynabackup::archive
