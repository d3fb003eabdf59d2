// The transport stacks, innermost first: connections, signatures, retries, clients; and the context that pipelines run
// in. One composition for whoever drives it: the engine on real time, a simulation on its own.
#pragma once
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <random>

#include "aws/credential_chain.hpp"
#include "aws/endpoints.hpp"
#include "aws/lambda_client.hpp"
#include "aws/retrying_transport.hpp"
#include "aws/signing_transport.hpp"
#include "dynabackup/report.hpp"
#include "dynabackup/settings.hpp"
#include "http/connection_pool.hpp"
#include "pipelines/run_context.hpp"

namespace dynabackup {

/// Declared owner first; whatever runs in context() ends before this does.
struct composition {
  settings configuration;
  runtime::clock& clock;
  std::mt19937_64 random;
  runtime::interruption stop;
  std::optional<http::connection_pool> credential_pool;  // none over a network of the caller's
  std::unique_ptr<aws::credential_provider> who;
  std::optional<http::connection_pool> table_pool;   // likewise
  std::optional<http::connection_pool> object_pool;  // likewise
  aws::endpoint table_endpoint;
  aws::endpoint stream_endpoint;
  runtime::semaphore table_permits;
  runtime::semaphore stream_permits;
  runtime::semaphore object_permits;
  runtime::semaphore urgent_permits;
  aws::signing_transport table_signed;
  aws::signing_transport stream_signed;
  aws::signing_transport object_signed;
  aws::retrying_transport table_stack;
  aws::retrying_transport stream_stack;
  aws::retrying_transport object_stack;
  aws::retrying_transport urgent_stack;
  dynamodb::client tables;
  dynamodb::streams_client streams;
  s3::client objects;
  s3::client urgent_objects;
  std::optional<aws::lambda_client> functions;  // none: not to be asked
  pipelines::capacity reads;
  pipelines::capacity writes;
  std::size_t part_bytes = pipelines::usual_part_bytes;  ///< a simulation has smaller ones

  /// Checks the settings (usage_error); sends nothing. `network` takes the place of our own connections unless null.
  composition(settings given, transport* network, runtime::clock& time, std::uint64_t seed);
  composition(const composition&) = delete;
  composition& operator=(const composition&) = delete;

  pipelines::run_context context(progress& seen);

  /// One operation, its duration measured.
  template <class Options>
  task<report> timed(task<report> (*pipeline)(pipelines::run_context&, Options), Options what, progress& seen) {
    pipelines::run_context run = context(seen);
    const auto begun = clock.steady_now();
    report done;
    std::exception_ptr failure;
    try {
      done = co_await pipeline(run, std::move(what));
    } catch (...) {
      failure = std::current_exception();
    }
    who->rest();
    if (failure) std::rethrow_exception(failure);
    done.seconds = std::chrono::duration<double>(clock.steady_now() - begun).count();
    co_return done;
  }
};

}  // namespace dynabackup
