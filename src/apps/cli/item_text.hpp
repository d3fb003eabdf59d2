// Items and their changes for people, in 80 columns: nested maps as indented lines, long values wrapped or cut.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "dynabackup/item_versions.hpp"

namespace dynabackup::cli {

inline constexpr std::size_t page_columns = 80;

/// An attribute a line, nothing left out; `item` is canonical.
std::string item_text(std::string_view item);
/// A change a line, marked + - or ~; of long values and of very many changes only the beginning, and how much there is.
std::string changes_text(const std::vector<item_change>& changes);

}  // namespace dynabackup::cli
