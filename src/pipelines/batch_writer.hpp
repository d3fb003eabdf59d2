// BatchWriteItem to the end: leftovers are resent until none is left, a refused item is found by splitting its batch,
// named, and does not stop its neighbours.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dynabackup/byte_budget.hpp"
#include "dynabackup/report.hpp"
#include "dynamodb/write_batch.hpp"
#include "pipelines/restore_progress.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup::pipelines {

/// Far below BatchWriteItem's 16 MB: a batch of 25 ordinary items fits, a batch of huge ones stays small in memory.
inline constexpr std::size_t batch_bytes = std::size_t{1} << 20;

/// Who is told when a batch is settled.
struct batch_end {
  std::shared_ptr<settled_prefix> lines;
  std::uint64_t piece = 0;
  std::function<void()> unsettled{};  ///< called before: its puts may take effect once more
};

/// Write units that a put of an item will take at the most, by the length of its JSON: 1 KB each (DynamoDB counts names
/// and values alone, so it is less).
double expected_write_units(std::size_t item_bytes);
/// What writing the plan's items takes, by their average size: write units and requests.
void plan_writes(plan& p);

/// Says which item DynamoDB refused, by where it came from: `object` and `line` of a finding.
using refused_place = std::function<finding(std::string_view item, std::uint64_t tag)>;

class batch_writer {
 public:
  batch_writer(run_context& run, report& out, restore_progress& progress, refused_place place)
      : run_(run), out_(out), progress_(progress), place_(std::move(place)) {}

  /// Writes every item of `batch` or names it as refused. Throws on anything that concerns more than an item.
  task<void> write(dynamodb::write_batch batch, byte_budget::charge charge, batch_end end);

 private:
  struct attempt {
    bool written = false;  ///< false: DynamoDB refused the request for what is in it
    bool unsettled = false;
    std::string refusal{};
  };
  task<attempt> write_whole(const dynamodb::write_batch& batch);
  task<dynamodb::write_outcome> send(std::string body, const std::string& table);
  void note_late();

  run_context& run_;
  report& out_;
  restore_progress& progress_;
  refused_place place_;
};

}  // namespace dynabackup::pipelines
