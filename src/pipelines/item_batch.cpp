#include "pipelines/item_batch.hpp"

#include <algorithm>
#include <utility>

namespace dynabackup::pipelines {
namespace {

/// Items of one table are alike: the first one tells what the batch will need, so that little is charged afterwards.
std::size_t expected_bytes(std::size_t item_bytes) {
  const std::size_t whole = dynamodb::write_batch::max_items * item_bytes;
  return 2 * std::max(item_bytes, std::min(whole, batch_bytes));
}

}  // namespace

bool item_batch::fits(std::size_t item_bytes) const {
  const double ceiling = to_.run.writes.ceiling();
  if (ceiling > 0 && !batch_.empty() && units_ + expected_write_units(item_bytes) > ceiling) return false;
  return batch_.fits(item_bytes);
}

task<void> item_batch::add(std::string_view item, std::uint64_t line) {
  if (batch_.empty()) charge_ = co_await to_.batches.acquire(expected_bytes(item.size()));
  batch_.add(item, line);
  units_ += expected_write_units(item.size());
  if (2 * batch_.bytes() > charge_.bytes()) charge_.resize(2 * batch_.bytes());
}

void item_batch::replace(std::size_t i, std::string_view item, std::uint64_t line) {
  units_ += expected_write_units(item.size()) - expected_write_units(batch_.item(i).size());
  batch_.replace(i, item, line);
  if (2 * batch_.bytes() > charge_.bytes()) charge_.resize(2 * batch_.bytes());
}

task<void> item_batch::send(std::function<void()> unsettled) {
  if (batch_.empty()) co_return;
  dynamodb::write_batch full = std::exchange(batch_, dynamodb::write_batch(to_.table, batch_bytes));
  units_ = 0;
  batch_end end{lines_, lines_->begin(std::exchange(taken_, 0)), std::move(unsettled)};
  co_await to_.writes.start(to_.writer.write(std::move(full), std::exchange(charge_, {}), std::move(end)));
}

}  // namespace dynabackup::pipelines
