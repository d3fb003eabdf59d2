// The key of an item as a user gives it, to the canonical key that names its object. Pure.
#pragma once
#include <string>
#include <vector>

#include "dynamodb/table_description.hpp"

namespace dynabackup::archive {

/// `words`: one of DynamoDB JSON, {"id":{"S":"x"}}, or a "name=value" for each key attribute, whose type the schema
/// tells; a binary value is base64. format_error, which names attributes but no values: anything else than the whole
/// key and nothing besides.
std::string read_item_key(const std::vector<std::string>& words, const dynamodb::key_schema& schema);

}  // namespace dynabackup::archive
