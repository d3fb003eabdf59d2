// What fake_s3 remembers: buckets, keys, chains of versions, uploads. No HTTP, no time of its own.
#pragma once
#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fakes/aws/fake_s3.hpp"

namespace dynabackup::fakes::s3_store {

using md5_digest = std::array<unsigned char, 16>;
md5_digest md5_of(std::string_view bytes);
/// All 16 hexadecimal digits.
void append_hex(std::string& out, std::uint64_t value);

/// MD5 of a body, or of the parts' MD5s together with their number.
struct entity_tag {
  md5_digest md5{};
  std::uint32_t parts = 0;  ///< 0: not a multipart upload
  bool operator==(const entity_tag&) const = default;
  [[nodiscard]] std::string text() const;  ///< without quotes
};

/// Content type and metadata as one string, for a million objects have them: type NUL (name NUL value NUL)*.
class attributes {
 public:
  explicit attributes(std::string_view content_type = {});
  void add_meta(std::string_view name, std::string_view value);
  [[nodiscard]] std::string_view content_type() const;
  [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> meta() const;

 private:
  void add(std::string_view text);
  std::string text_;
};

struct version {
  std::uint64_t sequence = 0;               ///< in order of creation within the store
  bool null_id = false;                     ///< made while versioning was not enabled
  std::shared_ptr<const std::string> body;  ///< null: a delete marker
  entity_tag tag;
  attributes what;
  wall_time last_modified{};

  [[nodiscard]] bool marker() const { return body == nullptr; }
  [[nodiscard]] std::string id() const;  ///< "null" or 32 hexadecimal digits that tell nothing
  [[nodiscard]] bool is(std::string_view id_text) const { return id() == id_text; }
};

/// The version of that id, whether or not it was ever made; nothing when the text is no version id.
std::optional<std::uint64_t> sequence_of_id(std::string_view id_text);

/// Oldest first; the last one is current. Most keys have one, which costs no allocation of its own.
using chain = boost::container::small_vector<version, 1>;

struct stored_part {
  std::shared_ptr<const std::string> body;
  md5_digest md5{};
  wall_time last_modified{};
};

struct upload {
  std::string key;
  attributes what;
  wall_time initiated{};
  std::map<int, stored_part> parts;
};

enum class versioning_state { never, enabled, suspended };

/// Keys found by hash, which is what writes need, and put in order when a list asks for it.
class key_table {
 public:
  struct entry {
    std::string key;
    chain versions;
  };
  using entries = std::vector<const entry*>;
  using place = entries::const_iterator;

  [[nodiscard]] const chain* find(std::string_view key) const;
  chain* find(std::string_view key) { return const_cast<chain*>(std::as_const(*this).find(key)); }
  /// The chain of a key; a new one must not stay empty.
  chain& make(std::string_view key);
  void erase(std::string_view key);
  [[nodiscard]] bool empty() const { return table_.empty(); }

  /// In the keys' byte order, until the next change.
  [[nodiscard]] const entries& ordered() const;
  /// The first of `in` whose key is not less than, or is greater than, `key`.
  static place lower_bound(const entries& in, std::string_view key);
  static place upper_bound(const entries& in, std::string_view key);

 private:
  /// An entry's hash stays beside its address: neither a growing table nor a search for another key reads the entry.
  struct slot {
    std::size_t hash;
    std::unique_ptr<entry> what;
  };
  struct sought {
    std::size_t hash;
    std::string_view key;
  };
  struct slot_hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::size_t operator()(const slot& s) const { return s.hash; }
    std::size_t operator()(const sought& s) const { return s.hash; }
  };
  struct slot_equal {
    using is_transparent = void;
    bool operator()(const slot& a, const slot& b) const { return a.what == b.what; }
    bool operator()(const sought& a, const slot& b) const { return a.hash == b.hash && a.key == b.what->key; }
    bool operator()(const slot& a, const sought& b) const { return (*this)(b, a); }
  };
  static sought looking_for(std::string_view key) { return {std::hash<std::string_view>{}(key), key}; }
  void put_in_order() const;

  boost::unordered_flat_set<slot, slot_hash, slot_equal> table_;
  mutable entries ordered_;
  mutable entries fresh_;  // in the table, not yet in order
};

class bucket {
 public:
  versioning_state versioning = versioning_state::never;
  wall_time created{};
  key_table keys;                                      ///< no chain is empty
  std::map<std::string, upload, std::less<>> uploads;  ///< by upload id
  std::string lifecycle{};                             ///< the document as it was put; empty: none

  /// The current version, be it a marker; null when there is none.
  [[nodiscard]] const version* current(std::string_view key) const;
  /// The current version unless it is a marker.
  [[nodiscard]] const version* object(std::string_view key) const;
  /// Makes `v` current; outside versioning it takes the null version's place. Returns it as it is kept.
  const version& add(std::string_view key, version v);
  /// Removes one version for good; returns it if it was there.
  std::optional<version> erase(std::string_view key, std::string_view id);
};

}  // namespace dynabackup::fakes::s3_store
