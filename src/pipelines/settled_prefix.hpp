// Checkpoints follow the data: work is begun in order and ends in any, and only what has ended without a gap from the
// start may be passed by a checkpoint.
#pragma once
#include <cstdint>
#include <deque>

namespace dynabackup::pipelines {

class settled_prefix {
 public:
  /// The next piece, of `units` lines. Returns its number, for end().
  std::uint64_t begin(std::uint64_t units) {
    pieces_.push_back({units, 0, false});
    return first_ + pieces_.size() - 1;
  }
  void end(std::uint64_t piece, std::uint64_t refused) {
    pieces_[piece - first_].refused = refused;
    pieces_[piece - first_].ended = true;
    while (!pieces_.empty() && pieces_.front().ended) {
      units_ += pieces_.front().units;
      refused_ += pieces_.front().refused;
      pieces_.pop_front();
      ++first_;
    }
  }
  /// Units that have ended without a gap from the start, and how many items in them DynamoDB refused.
  [[nodiscard]] std::uint64_t units() const { return units_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }

 private:
  struct piece {
    std::uint64_t units;
    std::uint64_t refused;
    bool ended;
  };
  std::deque<piece> pieces_;
  std::uint64_t first_ = 0;
  std::uint64_t units_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace dynabackup::pipelines
