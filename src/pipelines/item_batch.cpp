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

task<void> item_batch::add(std::string_view item, std::uint64_t line) {
  if (batch_.empty()) charge_ = co_await to_.batches.acquire(expected_bytes(item.size()));
  batch_.add(item, line);
  if (2 * batch_.bytes() > charge_.bytes()) charge_.resize(2 * batch_.bytes());
}

task<void> item_batch::send() {
  if (batch_.empty()) co_return;
  dynamodb::write_batch full = std::exchange(batch_, dynamodb::write_batch(to_.table, batch_bytes));
  co_await to_.writes.start(to_.writer.write(std::move(full), std::exchange(charge_, {})));
}

}  // namespace dynabackup::pipelines
