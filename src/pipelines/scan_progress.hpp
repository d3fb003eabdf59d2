// How far a parallel scan is settled: a page is when each of its items is, a segment's position moves over settled
// pages in order. What a checkpoint says is taken from here.
#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/checkpoint.hpp"

namespace dynabackup::pipelines {

struct item_counts {
  std::uint64_t items = 0;
  std::uint64_t written = 0;
  std::uint64_t present = 0;
  std::uint64_t differing = 0;
};

class scan_progress {
 public:
  /// One page whose items are on their way. Its counts are those of its settled items.
  struct page {
    std::uint32_t segment = 0;
    std::optional<std::string> next;  ///< LastEvaluatedKey
    std::size_t open = 0;             ///< items that are not settled
    item_counts counts{};
  };

  explicit scan_progress(std::uint32_t segments) : segments_(segments) {}
  /// Takes up where `c` stopped; it has as many segments.
  void resume(const archive::backfill_checkpoint& c);

  [[nodiscard]] std::uint32_t segments() const { return static_cast<std::uint32_t>(segments_.size()); }
  [[nodiscard]] bool done(std::uint32_t segment) const { return segments_[segment].done; }
  /// ExclusiveStartKey to begin a segment with.
  [[nodiscard]] std::optional<std::string> start(std::uint32_t segment) const { return segments_[segment].next; }

  /// The next page of a segment was read; pages of a segment are begun in their order.
  std::shared_ptr<page> begin(std::uint32_t segment, std::size_t items, std::optional<std::string> next);
  /// One item of it is durably where it belongs, or counted as left alone.
  void settled(page& of);

  /// Fills in positions and counts: what lies before is settled, every item of it.
  void write(archive::backfill_checkpoint& c) const;

 private:
  struct segment_state {
    bool done = false;
    std::optional<std::string> next;  // behind the settled pages
    std::deque<std::shared_ptr<page>> pages;
  };
  void advance(segment_state& s);

  std::vector<segment_state> segments_;
  item_counts passed_;
};

}  // namespace dynabackup::pipelines
