// aws-fake: S3 and DynamoDB in memory behind a port, for tests over real sockets.
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dynabackup/error.hpp"
#include "fakes/server/aws_service.hpp"
#include "fakes/server/http_server.hpp"
#include "fakes/server/options.hpp"

namespace dynabackup::fakes {
namespace {

wall_time now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

server_hooks hooks_of(aws_service& service, socket_faults& faults) {
  return {.handle = [&service](const request& r) { return service.handle(r); },
          .fault_for = [&service, &faults](const request& r) -> std::optional<fault> {
            if (aws_service::is_control(r)) return std::nullopt;
            service.seen.arrived(r);
            const std::optional<fault> f = faults.decide(r);
            if (f) service.seen.faulted(f->kind);
            return f;
          },
          .stand_in = [&faults](const fault& f, const request& r) { return faults.stand_in(f, r); }};
}

/// A gigabyte of heap that the kernel fills by huge pages: a million objects would be a quarter of a million page
/// faults.
void want_huge_pages() {
  constexpr int reserve = 1 << 30;
  constexpr int largest_in_heap = 32 << 20;
  constexpr std::uintptr_t huge_page = std::uintptr_t{2} << 20;
  mallopt(M_MMAP_THRESHOLD, largest_in_heap);
  mallopt(M_TOP_PAD, reserve);
  const auto begin = (reinterpret_cast<std::uintptr_t>(sbrk(0)) + huge_page - 1) / huge_page * huge_page;
  void* const volatile grown = std::malloc(largest_in_heap / 2);  // volatile: not to be optimized away
  std::free(grown);
  const auto end = reinterpret_cast<std::uintptr_t>(sbrk(0));
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

void arrange(const fake_options& options, fake_s3& s3, fake_dynamodb& dynamodb) {
  for (const fake_options::bucket& b : options.buckets) s3.create_bucket(b.name, b.versioned);
  for (const fake_options::synthetic_table& t : options.synthetic_tables) {
    dynamodb.create_synthetic_table(t.name, t.items, t.item_bytes);
  }
  for (const fake_options::empty_table& t : options.tables) dynamodb.create_table(t.name, {{t.key, t.type}}, "");
}

int run(const fake_options& options) {
  fake_s3 s3(now);
  fake_dynamodb dynamodb(now);
  arrange(options, s3, dynamodb);
  aws_service service(s3, dynamodb);
  socket_faults faults(options.faults, options.seed, options.fault_kinds);
  dynamodb.traits().processed = [&service, &faults](std::size_t requests) {
    const std::size_t done = faults.processed(requests);
    service.seen.unprocessed(requests - done);
    return done;
  };

  boost::asio::io_context context(1);
  http_server server(context, options.port, {.body_bytes = options.max_body_bytes}, hooks_of(service, faults));
  boost::asio::signal_set signals(context, SIGINT, SIGTERM);
  signals.async_wait([&context](const boost::system::error_code&, int) { context.stop(); });
  fmt::print("listening on 127.0.0.1:{}\n", server.port());
  std::fflush(stdout);
  context.run();
  return 0;
}

}  // namespace
}  // namespace dynabackup::fakes

int main(int count, char** arguments) {
  using namespace dynabackup;
  try {
    const fakes::fake_options options = fakes::parse_options({arguments + 1, arguments + count});
    if (!options.help) {
      fakes::want_huge_pages();
      return fakes::run(options);
    }
    fmt::print("{}", fakes::usage);
    return 0;
  } catch (const usage_error& problem) {
    fmt::print(stderr, "aws-fake: {}\n{}", problem.what(), fakes::usage);
    return 2;
  } catch (const std::exception& problem) {
    fmt::print(stderr, "aws-fake: {}\n", problem.what());
    return 1;
  }
}
