// Where test data lies. Ours is committed (tests/data). The public vector suites are not: they are looked for in
// $DYNABACKUP_TESTDATA, else in ../shared/testdata beside the source tree; where absent, the test says so out loud.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <doctest/doctest.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace dynabackup::fakes {

/// A file or folder of tests/data, which must be there.
inline std::filesystem::path own_data(const std::string& name) {
  std::filesystem::path path = std::filesystem::path(DYNABACKUP_TEST_DATA) / name;
  REQUIRE_MESSAGE(std::filesystem::exists(path), path.string(), " is missing");
  return path;
}

/// A file or folder of the public suites ("sigv4/v4", "endpoints.json"). Nothing, with a message, when it is absent;
/// a failure when DYNABACKUP_TESTDATA itself leads nowhere.
inline std::optional<std::filesystem::path> public_data(const std::string& name) {
  const char* const named = std::getenv("DYNABACKUP_TESTDATA");
  const auto source_root = std::filesystem::path(DYNABACKUP_TEST_DATA).parent_path().parent_path();
  const std::filesystem::path root = named != nullptr ? named : source_root.parent_path() / "shared" / "testdata";
  if (named != nullptr)
    REQUIRE_MESSAGE(std::filesystem::is_directory(root), "DYNABACKUP_TESTDATA is no folder: ", named);
  if (std::filesystem::exists(root / name)) return root / name;
  MESSAGE("SKIPPED: no ", name, " in ", root.string(), " (set DYNABACKUP_TESTDATA)");
  return std::nullopt;
}

/// The sub-folders of a suite, one a case, in name order; a suite without any is a failure.
inline std::vector<std::filesystem::path> case_folders(const std::filesystem::path& suite) {
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(suite))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  REQUIRE_MESSAGE(!folders.empty(), suite.string(), " holds no case");
  return folders;
}

inline std::string file_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE_MESSAGE(file.is_open(), "cannot read ", path.string());
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace dynabackup::fakes
