// What one state of an item changed of another, attribute by attribute. Pure.
#pragma once
#include <string_view>
#include <vector>

#include "dynabackup/item_versions.hpp"

namespace dynabackup::archive {

/// Both canonical, so numbers are compared by value and sets as sets; empty: no item. Nothing: they are equal.
/// Elements of lists are matched from both ends; what lies between is compared one by one if there are as many on both
/// sides.
std::vector<item_change> differences(std::string_view before, std::string_view after);

}  // namespace dynabackup::archive
