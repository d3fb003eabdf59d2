// What a test learns of a table of a million items in a second: digest and statistics.
#include <cstring>
#include <fmt/format.h>

#include "crypto/sha256.hpp"
#include "fakes/aws/dynamodb_state.hpp"

namespace dynabackup::fakes {
namespace {

/// A sum modulo 2^128.
class digest_sum {
 public:
  void add(std::string_view item) {
    const crypto::digest hash = crypto::sha256(item);
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::memcpy(&low, hash.data(), 8);
    std::memcpy(&high, hash.data() + 8, 8);
    low_ += low;
    high_ += high + (low_ < low ? 1 : 0);
    ++count_;
  }
  [[nodiscard]] std::string text() const { return fmt::format("{}:{:016x}{:016x}", count_, high_, low_); }

 private:
  std::uint64_t low_ = 0;
  std::uint64_t high_ = 0;
  std::uint64_t count_ = 0;
};

std::uint64_t count_of(const table_state& t) { return t.synthetic ? t.synthetic->count : t.store.count(); }

}  // namespace

std::string fake_dynamodb::digest(const std::string& table) const {
  const table_state& t = *state_->tables.at(table);
  digest_sum sum;
  t.store.visit({}, std::nullopt, std::nullopt, [&](const std::string&, const stored_item& item) {
    sum.add(item.text);
    return true;
  });
  if (t.synthetic) {
    std::string item;
    for (std::uint64_t i = 0; i < t.synthetic->count; ++i) {
      item.clear();
      t.synthetic->items.append_canonical(item, i);
      sum.add(item);
    }
  }
  return sum.text();
}

std::string fake_dynamodb::statistics() const {
  std::string tables;
  for (const auto& [name, t] : state_->tables) {
    const table_statistics& c = t->counted;
    tables += fmt::format(
        R"({}{}:{{"items":{},"puts":{},"written_again":{},"deletes":{},"changes":{},"read_units":{:.1f},"write_units":{:.1f}}})",
        tables.empty() ? "" : ",", json_string(name), count_of(*t), c.puts, c.written_again, c.deletes, t->changes,
        c.read_units, c.write_units);
  }
  std::string requests;
  for (const auto& [operation, count] : state_->requests) {
    requests += fmt::format(R"({}"{}":{})", requests.empty() ? "" : ",", operation, count);
  }
  return fmt::format(R"({{"tables":{{{}}},"requests":{{{}}}}})", tables, requests);
}

}  // namespace dynabackup::fakes
