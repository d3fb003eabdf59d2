// Snapshots as files: written the way ours and other tools write them, and read back to judge ours.
#pragma once
#include <string>
#include <vector>

#include "archive/manifest.hpp"
#include "dynabackup/settings.hpp"
#include "simulation/dice.hpp"

namespace dynabackup::simulation {

/// Lines as blocks of `lines_a_block` lines each, with the manifest that goes with them (its etag left empty).
struct packed_lines {
  std::string bytes;
  archive::manifest manifest;
};
packed_lines pack(const std::vector<std::string>& lines, compression codec, std::size_t lines_a_block);

/// The lines of a whole file, whatever its compression; format_error when it is damaged.
std::vector<std::string> unpack(const std::string& bytes);

}  // namespace dynabackup::simulation
