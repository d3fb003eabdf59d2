// The vectors of docs/format.md, which stand in tests/data/format-vectors.json: what is documented is what is done.
#include <doctest/doctest.h>
#include <fstream>
#include <iterator>
#include <simdjson.h>
#include <string>

#include "archive/canonical_json.hpp"
#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"

namespace archive = dynabackup::archive;

namespace {

std::string file_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string text(simdjson::dom::element object, std::string_view name) {
  return std::string(std::string_view(object.at_key(name)));
}

}  // namespace

TEST_CASE("the vectors of the format hold, and the format's text shows each of them") {
  simdjson::dom::parser parser;
  const simdjson::dom::element file = parser.parse(file_text(DYNABACKUP_TEST_DATA "/format-vectors.json"));
  const auto document = file_text(DYNABACKUP_TEST_DATA "/../../docs/format.md");
  REQUIRE_FALSE(document.empty());
  const auto shown = [&](const std::string& what) { return document.find(what) != std::string::npos; };
  int count = 0;
  for (const auto vector : simdjson::dom::array(file.at_key("items"))) {
    CAPTURE(text(vector, "name"));
    dynabackup::dynamodb::key_schema schema;
    for (const auto attribute : simdjson::dom::array(vector.at_key("schema"))) {
      schema.push_back({text(attribute, "name"), text(attribute, "type")[0]});
    }
    std::string body(archive::body_head);
    std::string key;
    archive::canonicalizer().item_and_key(text(vector, "item"), schema, body, key);
    body += archive::body_tail;
    CHECK(key == text(vector, "key"));
    CHECK(body == text(vector, "body"));
    CHECK(archive::object_name(key) == text(vector, "object_name"));
    CHECK(shown(text(vector, "object_name")));
    CHECK(shown(text(vector, "item")));
    // Characters that a reader would not see are in the file only.
    CHECK(shown(body) != (body.find('\x7f') != std::string::npos));
    ++count;
  }
  CHECK(count >= 10);

  for (const auto vector : simdjson::dom::array(file.at_key("numbers"))) {
    CAPTURE(text(vector, "text"));
    CHECK(archive::canonical_number(text(vector, "text")) == text(vector, "canonical"));
    CHECK(shown("| `" + text(vector, "text") + "` | `" + text(vector, "canonical") + "` |"));
  }
  for (const auto item : simdjson::dom::array(file.at_key("refused"))) {
    CAPTURE(text(item, "item"));
    std::string out;
    CHECK_THROWS_AS(archive::canonicalizer().item(text(item, "item"), out), dynabackup::format_error);
  }
}
