// One line of a snapshot, ours or a foreign one, to a canonical item (docs/format.md, "Lines that readers take"). Pure.
#pragma once
#include <string>
#include <string_view>

#include "archive/canonical_json.hpp"

namespace dynabackup::archive {

enum class line_kind {
  wrapped,    ///< {"Item":{…}}: ours, and AWS's DynamoDB JSON exports
  bare,       ///< {"id":{"S":"x"},…}: an item in DynamoDB JSON
  plain_json  ///< {"id":"x",…}: the older Scala tool; sets and binary were lost when it was written
};

class line_reader {
 public:
  explicit line_reader(dynamodb::key_schema schema);
  /// Appends the canonical item to `item` and its canonical key to `key`. format_error for anything that is no item:
  /// both are then as before, and the byte in the message counts from the item's own opening brace.
  line_kind read(std::string_view line, std::string& item, std::string& key);

 private:
  struct shape {
    line_kind kind;
    std::string_view item;
  };
  shape look(std::string_view line);

  dynamodb::key_schema schema_;
  canonicalizer canonical_;
  std::string partition_key_;  ///< its name as canonical JSON spells it
  std::string name_;
};

}  // namespace dynabackup::archive
