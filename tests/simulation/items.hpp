// Items of every attribute type in awkward spellings, made up by chance.
#pragma once
#include <cstdint>
#include <string>

#include "dynamodb/table_description.hpp"
#include "simulation/dice.hpp"

namespace dynabackup::simulation {

/// One or two key attributes of any type.
dynamodb::key_schema random_key_schema(dice& chance);
/// The key attributes of the n-th item, as JSON members without braces.
std::string key_members(const dynamodb::key_schema& key, std::uint64_t n);
/// A whole item in DynamoDB JSON. `revision` is in it, so that no two states of an item are equal.
std::string random_item(dice& chance, const std::string& key_members, std::uint64_t revision);

}  // namespace dynabackup::simulation
