// A table of any size that is nowhere: item i is made when somebody asks for it.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dynabackup::fakes {

class synthetic_items {
 public:
  explicit synthetic_items(std::size_t item_bytes);

  /// Appends item i as a server would spell it: members in no order, escapes where none are needed.
  void append(std::string& out, std::uint64_t i) const;
  /// Appends the same item in canonical JSON.
  void append_canonical(std::string& out, std::uint64_t i) const;
  /// As AWS counts; the same for every item.
  [[nodiscard]] std::size_t size() const { return size_; }

  /// {"id":{"S":"item-00000000000000000042"}}
  static std::string key(std::uint64_t i);
  /// The index in a canonical key, if it is one of these.
  static std::optional<std::uint64_t> index(std::string_view canonical_key);

 private:
  /// A text with places that depend on the index.
  struct pattern {
    std::string text;
    std::size_t id = 0, count = 0, rate = 0, blob = 0, filling = 0;
  };
  static pattern make(std::string_view form, std::size_t filling);
  void fill(std::string& out, const pattern& p, std::uint64_t i) const;

  std::size_t filling_;
  pattern spelled_;
  pattern canonical_;
  std::size_t size_ = 0;
};

}  // namespace dynabackup::fakes
