// The items of one table by canonical key, in the order a Scan meets them, and for a while what they were before, so
// that an eventually consistent read can answer with the past.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "fakes/aws/dynamodb_item.hpp"
#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes {

struct stored_item {
  const std::string& key;   ///< canonical
  const std::string& item;  ///< canonical
  std::size_t size;         ///< as AWS counts
};

/// A share of a table: items whose hash is in [first, last].
struct hash_range {
  std::uint64_t first = 0;
  std::uint64_t last = ~std::uint64_t{0};
};
hash_range segment_range(std::uint64_t segment, std::uint64_t total);

class item_store {
 public:
  using map = std::map<std::string, std::string>;

  /// `remembered`: how far back a read may look.
  item_store(const dynamodb::key_schema& schema, std::chrono::milliseconds remembered)
      : keys_(schema), remembered_(remembered) {}

  [[nodiscard]] const map& items() const { return items_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] const key_reader& keys() const { return keys_; }
  [[nodiscard]] const std::string* find(const std::string& key) const;
  /// The item as it was at `moment`.
  [[nodiscard]] std::optional<std::string> find_as_of(const std::string& key, wall_time moment) const;
  /// What was there before.
  std::optional<std::string> put(const std::string& key, std::string item, wall_time now);
  std::optional<std::string> remove(const std::string& key, wall_time now);

  /// Items of the range behind the key `after`, until the visitor says false. `as_of`: not how they are, but were.
  void visit(hash_range range, const std::optional<std::string>& after, std::optional<wall_time> as_of,
             const std::function<bool(const stored_item&)>& visitor) const;

 private:
  struct position {
    item_place place;
    const std::string* key;
    bool operator<(const position& other) const;
  };
  struct entry {
    const std::string* item;
    std::size_t size;
  };
  struct change {
    wall_time at;
    std::string key;
    std::optional<std::string> before;
  };
  using overlay = std::map<std::string, std::optional<std::string>>;
  [[nodiscard]] overlay changed_since(wall_time moment) const;
  void remember(const std::string& key, const std::optional<std::string>& before, wall_time now);

  key_reader keys_;
  std::chrono::milliseconds remembered_;
  map items_;
  std::map<position, entry> order_;
  std::deque<change> history_;
  std::size_t size_bytes_ = 0;
};

}  // namespace dynabackup::fakes
