// descriptor.json: which table a prefix belongs to (docs/format.md, "Descriptor"). Pure.
#pragma once
#include <string>
#include <string_view>

#include "dynamodb/table_description.hpp"

namespace dynabackup::archive {

class record_reader;

/// The partition key's attribute comes first in `key`. Where the service names no id, it is empty.
struct descriptor {
  int format = 1;
  std::string table;
  std::string arn;
  std::string id;
  std::string created;
  dynamodb::key_schema key;
};

descriptor describe(const dynamodb::table_description& table);
std::string write_descriptor(const descriptor& d);
/// format_error: not ours, damaged, or of a newer format (the message says to update).
descriptor read_descriptor(std::string_view body);
/// The same of an object inside another document (a manifest's `table`).
descriptor read_descriptor(const record_reader& record);

enum class kinship {
  same,       ///< this very table
  recreated,  ///< same name and account, another id or creation time, or another ARN (moved): needs --adopt
  other       ///< another table's name or another key schema: refused
};
kinship compare(const descriptor& known, const descriptor& now);

}  // namespace dynabackup::archive
