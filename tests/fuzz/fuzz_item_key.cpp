// Words of a command line: what is taken as a key gives the same key again from its DynamoDB JSON.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "archive/item_key.hpp"
#include "dynabackup/error.hpp"

using namespace dynabackup;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::string> words(1);
  for (std::size_t i = 0; i < size; ++i) {
    if (data[i] == 0)
      words.emplace_back();
    else
      words.back() += static_cast<char>(data[i]);
  }
  for (const dynamodb::key_schema& schema :
       {dynamodb::key_schema{{"id", 'S'}}, {{"id", 'B'}, {"n", 'N'}}, {{"a", 'S'}, {"a=b", 'N'}}}) {
    std::string key;
    try {
      key = archive::read_item_key(words, schema);
    } catch (const format_error&) {
      continue;
    }
    if (archive::read_item_key({key}, schema) != key) std::abort();
  }
  return 0;
}
