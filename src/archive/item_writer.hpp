// Writes one item in canonical JSON while it reads it: DynamoDB JSON, or plain JSON. Inside of canonical_json.cpp.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "archive/canonical_order.hpp"
#include "archive/json_cursor.hpp"
#include "dynamodb/table_description.hpp"

namespace dynabackup::archive {

/// A key schema with its names spelled as they will stand in the text, quotes included.
struct spelled_key {
  std::string name;
  char type;
};

class item_writer {
 public:
  /// Appends to `out`; `pieces` is scratch.
  item_writer(std::string_view item, piece_stack& pieces, std::string& out);

  void dynamodb_json();
  void plain_json(const std::vector<spelled_key>& keys);
  /// The key attributes of the item just written. format_error: missing, or of another type.
  void append_key(const std::vector<spelled_key>& keys, std::string& key) const;

 private:
  void top_level(const std::vector<spelled_key>* plain_keys);
  template <typename Value>
  void map(piece_stack::level& members, Value value);
  template <typename Element>
  void list(Element element);

  void value(int depth);
  void typed_value(std::string_view type, int depth);
  void null();
  void boolean();
  void number();
  void binary();
  template <typename Element>
  void set(Element element);
  void nest(int depth) const;

  void plain_value(int depth);

  std::string_view string_value(std::string_view otherwise);
  void write_number(std::string_view text);
  [[nodiscard]] std::string_view written(std::size_t from) const { return std::string_view(out_).substr(from); }
  [[nodiscard]] std::uint32_t here() const { return static_cast<std::uint32_t>(out_.size() - base_); }

  json_cursor in_;
  piece_stack& pieces_;
  std::string& out_;
  std::size_t base_;
  std::string spare_;
  piece_stack::level top_;
};

}  // namespace dynabackup::archive
