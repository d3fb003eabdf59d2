#include "archive/canonical_json.hpp"

#include <vector>

#include "archive/item_writer.hpp"
#include "dynabackup/error.hpp"
#include "text/codecs.hpp"

namespace dynabackup::archive {
namespace {

/// Takes away what was appended unless all went well.
class undo {
 public:
  explicit undo(std::string& text) : text_(text), size_(text.size()) {}
  undo(const undo&) = delete;
  undo& operator=(const undo&) = delete;
  ~undo() {
    if (!kept_) text_.resize(size_);
  }
  void keep() { kept_ = true; }

 private:
  std::string& text_;
  std::size_t size_;
  bool kept_ = false;
};

}  // namespace

struct canonicalizer::state {
  piece_stack pieces;
  std::vector<spelled_key> keys;

  void spell(const dynamodb::key_schema& schema) {
    if (schema.empty()) throw format_error("a key schema without attributes");
    keys.resize(schema.size());
    for (std::size_t i = 0; i < schema.size(); ++i) {
      keys[i].name.clear();
      text::append_json_string(keys[i].name, schema[i].name);
      keys[i].type = schema[i].type;
    }
  }
};

canonicalizer::canonicalizer() : state_(std::make_unique<state>()) {}
canonicalizer::~canonicalizer() = default;
canonicalizer::canonicalizer(canonicalizer&&) noexcept = default;
canonicalizer& canonicalizer::operator=(canonicalizer&&) noexcept = default;

void canonicalizer::item(std::string_view item, std::string& out) {
  undo written(out);
  item_writer(item, state_->pieces, out).dynamodb_json();
  written.keep();
}

void canonicalizer::item_and_key(std::string_view item, const dynamodb::key_schema& schema, std::string& out,
                                 std::string& key) {
  undo written(out);
  state_->spell(schema);
  item_writer writer(item, state_->pieces, out);
  writer.dynamodb_json();
  writer.append_key(state_->keys, key);
  written.keep();
}

void canonicalizer::plain_item_and_key(std::string_view item, const dynamodb::key_schema& schema, std::string& out,
                                       std::string& key) {
  undo written(out);
  state_->spell(schema);
  item_writer writer(item, state_->pieces, out);
  writer.plain_json(state_->keys);
  writer.append_key(state_->keys, key);
  written.keep();
}

}  // namespace dynabackup::archive
