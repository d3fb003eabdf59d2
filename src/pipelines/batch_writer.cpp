#include "pipelines/batch_writer.hpp"

#include <algorithm>
#include <chrono>
#include <vector>

#include "dynabackup/error.hpp"
#include "pipelines/runs.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr int rounds_without_progress = 20;
constexpr int server_trouble = 500;  // from this HTTP status on nothing is said of the effect

/// What DynamoDB says of the items in a request, not of the request as a whole.
bool concerns_an_item(const service_failure& f) {
  return f.code == "ValidationException" || f.code == "ItemCollectionSizeLimitExceededException" ||
         f.code == "RequestEntityTooLargeException" || f.code == "SerializationException" || f.status == 413;
}

/// BatchWriteItem, "UnprocessedItems": exponential back-off; starts at 50 ms, gives up growing at 20 s.
std::chrono::milliseconds leftover_delay(int round, double random) {
  const double base = std::min(50.0 * static_cast<double>(1 << std::min(round, 10)), 20'000.0);
  return std::chrono::milliseconds{static_cast<int>(base / 2 + base / 2 * random)};
}

}  // namespace

double expected_write_units(std::size_t item_bytes) { return static_cast<double>((item_bytes + 1023) / 1024); }

void plan_writes(plan& p) {
  if (p.items == 0) return;
  const std::uint64_t item_bytes = p.bytes / p.items;
  const std::uint64_t in_batch = std::clamp<std::uint64_t>(batch_bytes / std::max<std::uint64_t>(item_bytes, 1), 1,
                                                           dynamodb::write_batch::max_items);
  p.write_units = static_cast<double>(p.items) * expected_write_units(item_bytes);
  p.table_requests = (p.items + in_batch - 1) / in_batch;
}

task<batch_writer::attempt> batch_writer::write_whole(const dynamodb::write_batch& batch) {
  attempt result;
  std::string body = batch.body();
  std::size_t left = batch.size();
  double units = 0;
  for (std::size_t i = 0; i < batch.size(); ++i) units += expected_write_units(batch.item(i).size());
  int idle_rounds = 0;
  while (!body.empty()) {
    dynamodb::write_outcome outcome;
    co_await run_.writes.take(units);
    try {
      outcome = co_await send(std::move(body), batch.table());
    } catch (const service_error& e) {
      if (!concerns_an_item(e.failure)) throw;
      result.refusal = e.failure.code + ": " + e.failure.message;
      co_return result;
    }
    run_.writes.settle(units, outcome.consumed_capacity);
    result.unsettled = result.unsettled || outcome.unsettled;
    body = std::move(outcome.unprocessed);
    if (body.empty()) break;
    // A 200 with leftovers is a throttle: every worker of the table slows down.
    run_.table_throttled(static_cast<double>(outcome.unprocessed_items) / static_cast<double>(left));
    ++run_.seen.throttles;
    ++run_.seen.retries;
    units *= static_cast<double>(outcome.unprocessed_items) / static_cast<double>(left);
    idle_rounds = outcome.unprocessed_items < left ? 0 : idle_rounds + 1;
    left = outcome.unprocessed_items;
    if (idle_rounds >= rounds_without_progress)
      throw error("BatchWriteItem on " + batch.table() + ": DynamoDB left " + std::to_string(left) +
                  " items unprocessed " + std::to_string(idle_rounds) +
                  " times in a row; raise the table's write capacity, then run the restore again (it is idempotent)");
    co_await run_.clock.sleep(leftover_delay(idle_rounds, run_.random()));
  }
  result.written = true;
  co_return result;
}

void batch_writer::note_late() { progress_.note_late(run_.clock.steady_now() + late_effects); }

/// A request that was given up in the middle may take effect after the run has ended.
task<dynamodb::write_outcome> batch_writer::send(std::string body, const std::string& table) {
  try {
    dynamodb::write_outcome outcome = co_await run_.tables.batch_write_item(std::move(body), table);
    if (outcome.unsettled) note_late();
    co_return outcome;
  } catch (const service_error& e) {
    if (e.failure.attempts > 1 || e.failure.status >= server_trouble) note_late();
    throw;
  } catch (...) {
    note_late();
    throw;
  }
}

task<void> batch_writer::write(dynamodb::write_batch batch, byte_budget::charge charge, batch_end end) {
  // Depth first over halves. A batch refused after some of it was written is sent again in pieces: puts of whole items
  // are idempotent by value.
  std::vector<dynamodb::write_batch> pending;
  pending.push_back(std::move(batch));
  bool unsettled = false;
  std::uint64_t refused = 0;
  while (!pending.empty()) {
    dynamodb::write_batch current = std::move(pending.back());
    pending.pop_back();
    const attempt done = co_await write_whole(current);
    unsettled = unsettled || done.unsettled;
    if (done.written) {
      out_.items_written += current.size();
      out_.bytes_written += current.bytes();
      run_.seen.items += current.size();
      run_.seen.bytes += current.bytes();
    } else if (current.size() == 1) {
      ++out_.items_refused;
      ++refused;
      finding refused_item = place_(current.item(0), current.tag(0));
      refused_item.kind = "refused";
      refused_item.detail = done.refusal;
      out_.add(std::move(refused_item));
    } else {
      pending.push_back(current.split());
      pending.push_back(std::move(current));
    }
  }
  charge.release();
  if (unsettled && end.unsettled) end.unsettled();
  end.lines->end(end.piece, refused);
  co_await progress_.save_if_due();
}

}  // namespace dynabackup::pipelines
