// The items of one table in the order a Scan meets them, and for a while what they were before, so that an eventually
// consistent read can answer with the past.
#pragma once
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fakes/aws/dynamodb_item.hpp"
#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes {

struct stored_item {
  std::string text;      ///< canonical
  std::size_t size = 0;  ///< as AWS counts
};

/// A share of a table: items whose hash is in [first, last].
struct hash_range {
  std::uint64_t first = 0;
  std::uint64_t last = ~std::uint64_t{0};
};
hash_range segment_range(std::uint64_t segment, std::uint64_t total);

class item_store {
 public:
  /// `remembered`: how far back a read may look.
  item_store(const dynamodb::key_schema& schema, std::chrono::milliseconds remembered)
      : keys_(schema), remembered_(remembered) {}

  [[nodiscard]] const key_reader& keys() const { return keys_; }
  [[nodiscard]] std::size_t count() const { return items_.size(); }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  /// By canonical key; valid until the item's next change.
  [[nodiscard]] const stored_item* find(std::string_view key) const;
  /// The item as it was at `moment`.
  [[nodiscard]] std::optional<stored_item> find_as_of(std::string_view key, wall_time moment) const;
  struct put_outcome {
    std::optional<stored_item> before;
    bool changed;  ///< false: the very same item was there
  };
  put_outcome put(const std::string& key, stored_item item, wall_time now);
  /// What was there before.
  std::optional<stored_item> remove(const std::string& key, wall_time now);

  using visitor = std::function<bool(const std::string& key, const stored_item& item)>;
  /// Items of the range behind the key `after`, until the visitor says false. `as_of`: not how they are, but were.
  void visit(hash_range range, const std::optional<std::string>& after, std::optional<wall_time> as_of,
             const visitor& show) const;

 private:
  struct position {
    std::uint64_t hash;
    std::string sort;
    std::string key;
  };
  struct position_view {
    std::uint64_t hash;
    std::string_view sort;
    std::string_view key;
  };
  struct before {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const {
      if (a.hash != b.hash) return a.hash < b.hash;
      const int order = std::string_view(a.sort).compare(b.sort);
      return order != 0 ? order < 0 : std::string_view(a.key) < std::string_view(b.key);
    }
  };
  using map = std::map<position, stored_item, before>;
  /// Many small trees instead of a tall one, where every step down is a cache miss: bucket i holds the hashes whose
  /// first bits are i.
  class bucketed {
   public:
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] map& bucket_of(std::uint64_t hash) { return buckets_[index(hash)]; }
    [[nodiscard]] const map& bucket_of(std::uint64_t hash) const { return buckets_[index(hash)]; }
    /// The one behind it; null: there is none.
    [[nodiscard]] const map* next(const map* bucket) const {
      return ++bucket == buckets_.data() + buckets_.size() ? nullptr : bucket;
    }
    void added();
    void removed() { --size_; }

   private:
    [[nodiscard]] std::size_t index(std::uint64_t hash) const { return bits_ == 0 ? 0 : hash >> (64 - bits_); }
    std::vector<map> buckets_ = std::vector<map>(1);
    int bits_ = 0;
    std::size_t size_ = 0;
  };
  struct change {
    wall_time at;
    std::string key;
    std::optional<stored_item> before;
  };
  class cursor;
  using overlay = std::map<std::string, std::optional<stored_item>>;
  [[nodiscard]] overlay changed_since(wall_time moment) const;
  void remember(const std::string& key, const std::optional<stored_item>& before, wall_time now);

  key_reader keys_;
  std::chrono::milliseconds remembered_;
  bucketed items_;
  std::deque<change> history_;
  std::size_t size_bytes_ = 0;
};

}  // namespace dynabackup::fakes
