// record_changes of the library on batches as Lambda brings them, without Lambda's loop around it, whose requests would
// count as the engine's. Settings are read as `bootstrap` reads them.
//   stream-load STREAM-ARN CHANGES ITEM-BYTES
// Tells the CPU time within the engine: what the events cost to make is left out.
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "apps/configuration/prepare_process.hpp"
#include "apps/configuration/process_settings.hpp"
#include "dynabackup/engine.hpp"
#include "fakes/aws/synthetic_table.hpp"

namespace dynabackup::bench {
namespace {

constexpr std::size_t batch_records = 100;
constexpr std::string_view incremental_bucket = "INCREMENTAL_BUCKET";

struct totals {
  std::size_t changes = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  double cpu_seconds = 0;
};

double cpu_seconds() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

std::uint64_t peak_memory() {
  std::ifstream status("/proc/self/status");
  constexpr std::string_view name = "VmHWM:";
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return std::stoull(line.substr(name.size())) * 1024;
  return 0;
}

/// Each change of a key of its own.
std::string event_of(const fakes::synthetic_items& items, const std::string& stream, std::size_t first) {
  std::string text = R"({"Records":[)";
  for (std::size_t i = first; i < first + batch_records; ++i) {
    if (i > first) text += ',';
    text +=
        fmt::format(R"({{"eventID":"{:032x}","eventName":"INSERT","eventVersion":"1.1","eventSource":"aws:dynamodb",)"
                    R"("awsRegion":"us-east-1","dynamodb":{{"ApproximateCreationDateTime":{},"Keys":{},"NewImage":)",
                    i, std::time(nullptr), fakes::synthetic_items::key(i));
    items.append(text, i);
    text += fmt::format(
        R"(,"SequenceNumber":"1{:020}","SizeBytes":{},"StreamViewType":"NEW_AND_OLD_IMAGES"}},"eventSourceARN":"{}"}})",
        i, items.size(), stream);
  }
  return text + "]}";
}

void require_whole(const report& done) {
  if (!done.changes) throw std::runtime_error("nothing was recorded");
  if (done.changes->first_failed) throw std::runtime_error("not everything was recorded: " + done.changes->failure);
  if (done.changes->puts != batch_records) throw std::runtime_error("a batch was not recorded as its puts");
}

totals run(const std::string& stream, std::size_t changes, std::size_t item_bytes) {
  apps::process_settings around = apps::read_process_settings({}, std::nullopt);
  record_options what;
  what.to = s3_location::of(apps::environment_value(std::string(incremental_bucket)).value(), "");
  engine work(apps::to_settings(around.in_force, std::move(around.who)));
  const fakes::synthetic_items items(item_bytes);
  totals sum;
  for (std::size_t first = 0; first < changes; first += batch_records) {
    std::string event = event_of(items, stream, first);
    progress seen;
    const double before = cpu_seconds();
    const report done = work.run(work.record_changes(what, std::move(event), seen));
    sum.cpu_seconds += cpu_seconds() - before;
    require_whole(done);
    sum.changes += done.changes->records;
    sum.requests += done.requests;
    sum.retries += done.retries;
  }
  return sum;
}

}  // namespace
}  // namespace dynabackup::bench

int main(int count, char** arguments) {
  using namespace dynabackup;
  if (count != 4) {
    fmt::print(stderr, "usage: stream-load STREAM-ARN CHANGES ITEM-BYTES\n");
    return 2;
  }
  try {
    apps::prepare_process();
    const bench::totals done = bench::run(arguments[1], std::stoul(arguments[2]), std::stoul(arguments[3]));
    fmt::print(R"({{"items":{},"requests":{},"retries":{},"cpu_seconds":{:.6f},"peak_rss_bytes":{}}})"
               "\n",
               done.changes, done.requests, done.retries, done.cpu_seconds, bench::peak_memory());
    return 0;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "stream-load: {}\n", problem.what());
    return 1;
  }
}
