#include "archive/object_name.hpp"

#include <algorithm>

#include "crypto/sha256.hpp"

namespace dynabackup::archive {
namespace {

std::string kept(const s3_location& home, std::string_view name) {
  return home.prefix + std::string(bookkeeping) + std::string(name);
}

}  // namespace

std::string object_name(std::string_view canonical_key) { return crypto::sha256_hex(canonical_key); }

bool is_object_name(std::string_view name) {
  return name.size() == 64 &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string descriptor_key(const s3_location& home) { return kept(home, "descriptor.json"); }

std::string run_key(const s3_location& home, std::string_view run_id) {
  return kept(home, "runs/") + std::string(run_id) + ".json";
}

std::string checkpoint_key(const s3_location& home, std::string_view name) {
  return kept(home, "checkpoints/") + std::string(name) + ".json";
}

std::string upload_key(const s3_location& home, std::string_view id) {
  return kept(home, "uploads/") + std::string(id) + ".json";
}

std::string probe_key(const s3_location& home, std::string_view run_id) {
  return kept(home, "probes/") + std::string(run_id);
}

std::string manifest_key(const s3_location& home, std::string_view snapshot_name) {
  return kept(home, snapshot_name) + ".manifest.json";
}

}  // namespace dynabackup::archive
