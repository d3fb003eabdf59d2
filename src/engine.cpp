#include "dynabackup/engine.hpp"

#include <bit>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <random>
#include <utility>

#include "aws/credential_chain.hpp"
#include "aws/endpoints.hpp"
#include "aws/retrying_transport.hpp"
#include "aws/signing_transport.hpp"
#include "dynabackup/shared_config.hpp"
#include "http/connection_pool.hpp"
#include "pipelines/backfill.hpp"
#include "pipelines/restore.hpp"
#include "pipelines/snapshot.hpp"

namespace dynabackup {
namespace {

namespace net = boost::asio;

/// How long the first signal lets what is in flight settle (design section 2).
constexpr std::chrono::seconds settle_time{10};
constexpr std::size_t max_parallelism = 1024;

void check_parallelism(std::size_t n, const char* service) {
  if (!std::has_single_bit(n) || n > max_parallelism)
    throw usage_error(std::string(service) + " parallelism must be a power of two from 1 to 1024, not " +
                      std::to_string(n));
}

http::pool_settings pool_for(const settings& s) {
  http::pool_settings pool;
  pool.max_idle = std::max(s.dynamodb.parallelism, s.s3.parallelism);
  pool.ca_bundle = s.ca_bundle;
  return pool;
}

aws::endpoint where_dynamodb_is(const settings& s) {
  aws::endpoint_query query;
  // A snapshot touches no table and needs no region of one; need_table() tells whoever does.
  query.region = s.dynamodb.region.empty() ? s.s3.region : s.dynamodb.region;
  query.endpoint = s.dynamodb.endpoint;
  query.fips = s.endpoints.use_fips;
  query.dualstack = s.endpoints.use_dualstack;
  return aws::dynamodb_endpoint(query);
}

void need_table(const settings& s) {
  if (s.dynamodb.region.empty() && !s.dynamodb.endpoint)
    throw usage_error("the table's region is not set: DYNAMODB_REGION, dynamodb.region or AWS_REGION");
}

s3::client_settings how_s3_is_reached(const settings& s) {
  s3::client_settings c;
  c.region = s.s3.region;
  c.endpoint = s.s3.endpoint;
  c.path_style = s.s3.path_style;
  c.fips = s.endpoints.use_fips;
  c.dualstack = s.endpoints.use_dualstack;
  c.sse = s.s3.sse;
  c.kms_key_id = s.s3.kms_key_id;
  return c;
}

aws::retry_policy patient(int max_attempts, std::chrono::milliseconds transient_base) {
  aws::retry_policy policy;
  policy.max_attempts = max_attempts;
  policy.transient_base = transient_base;
  return policy;
}

}  // namespace

std::optional<std::string> shared_config_value(const credential_settings& settings, std::string_view key) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return aws::profile_value(settings, key);
  return aws::service_value(settings, key.substr(0, dot), key.substr(dot + 1));
}

/// The stacks, innermost first: connections, signatures, retries, clients. Declared owner first.
struct engine::parts {
  settings configuration;
  net::io_context io{1};
  std::mt19937_64 random{std::random_device{}()};
  runtime::system_clock clock;
  runtime::interruption stop;
  std::unique_ptr<aws::credential_provider> who;
  http::connection_pool table_pool;
  http::connection_pool object_pool;
  aws::endpoint table_endpoint;
  runtime::semaphore table_permits;
  runtime::semaphore object_permits;
  aws::signing_transport table_signed;
  aws::signing_transport object_signed;
  aws::retrying_transport table_stack;
  aws::retrying_transport object_stack;
  dynamodb::client tables;
  s3::client objects;

  parts(settings given, transport* network)
      : configuration(std::move(given)),
        who(aws::credential_chain(configuration.credentials)),
        table_pool(pool_for(configuration)),
        object_pool(pool_for(configuration)),
        table_endpoint(where_dynamodb_is(configuration)),
        table_permits(configuration.dynamodb.parallelism),
        object_permits(configuration.s3.parallelism),
        table_signed(network ? *network : table_pool, *who, clock, table_endpoint.signing_region, "dynamodb",
                     aws::sigv4::dynamodb_rules),
        object_signed(network ? *network : object_pool, *who, clock, configuration.s3.region, "s3",
                      aws::sigv4::s3_rules),
        table_stack(table_signed, clock, table_permits, aws::read_json_failure,
                    patient(configuration.max_attempts, std::chrono::milliseconds{25}), random()),
        object_stack(object_signed, clock, object_permits, aws::read_xml_failure,
                     patient(configuration.max_attempts, std::chrono::milliseconds{50}), random()),
        tables(table_stack, table_endpoint.base.where, table_endpoint.base.path),
        objects(object_stack, how_s3_is_reached(configuration)) {}

  pipelines::run_context context(progress& seen) {
    table_stack.count_into(&seen);
    object_stack.count_into(&seen);
    return {.tables = tables,
            .objects = objects,
            .clock = clock,
            .stop = stop,
            .seen = seen,
            .table_parallelism = configuration.dynamodb.parallelism,
            .object_parallelism = configuration.s3.parallelism,
            .segments = configuration.dynamodb.segments,
            .memory_bytes = configuration.memory_bytes,
            .random = [this] { return std::uniform_real_distribution<double>(0, 1)(random); },
            .table_throttled = [this] { table_stack.shared_pace().throttled(clock.steady_now()); }};
  }

  /// One operation, its duration measured.
  template <class Options>
  task<report> timed(task<report> (*pipeline)(pipelines::run_context&, Options), Options what, progress& seen) {
    pipelines::run_context run = context(seen);
    const auto begun = clock.steady_now();
    report done = co_await pipeline(run, std::move(what));
    done.seconds = std::chrono::duration<double>(clock.steady_now() - begun).count();
    co_return done;
  }
};

engine::engine(settings configuration) {
  check_parallelism(configuration.dynamodb.parallelism, "DynamoDB");
  check_parallelism(configuration.s3.parallelism, "S3");
  parts_ = std::make_unique<parts>(std::move(configuration), nullptr);
}

engine::engine(settings configuration, transport& network) {
  check_parallelism(configuration.dynamodb.parallelism, "DynamoDB");
  check_parallelism(configuration.s3.parallelism, "S3");
  parts_ = std::make_unique<parts>(std::move(configuration), &network);
}

engine::~engine() = default;
engine::engine(engine&&) noexcept = default;

task<report> engine::backfill(backfill_options what, progress& seen) {
  need_table(parts_->configuration);
  return parts_->timed(&pipelines::backfill, std::move(what), seen);
}

task<report> engine::snapshot(snapshot_options what, progress& seen) {
  return parts_->timed(&pipelines::snapshot, std::move(what), seen);
}

task<report> engine::restore(restore_options what, progress& seen) {
  need_table(parts_->configuration);
  return parts_->timed(&pipelines::restore, std::move(what), seen);
}

namespace {

/// The state of one run(): the root coroutine, the signals, the settle timer and the ticker, all on one io_context.
struct driver {
  net::io_context& io;
  runtime::interruption& stop;
  net::cancellation_signal cancel{};
  net::signal_set signals{io, SIGINT, SIGTERM};
  net::steady_timer settle{io};
  net::steady_timer ticker{io};
  std::exception_ptr failure{};
  std::optional<report> result{};
  // A timer or signal that was due when the run ended reports no cancellation: without this its handler would arm
  // itself again, and run() would never return.
  bool over = false;

  void watch_signals() {
    signals.async_wait([this](boost::system::error_code e, int) {
      if (e || over) return;
      if (stop.requested) return cancel.emit(net::cancellation_type::terminal);
      stop.requested = true;
      settle.expires_after(settle_time);
      settle.async_wait([this](boost::system::error_code late) {
        if (!late && !over) cancel.emit(net::cancellation_type::terminal);
      });
      watch_signals();
    });
  }

  void tick(const std::function<void()>& each, std::chrono::milliseconds every) {
    if (!each) return;
    ticker.expires_after(every);
    ticker.async_wait([this, &each, every](boost::system::error_code e) {
      if (e || over) return;
      each();
      tick(each, every);
    });
  }

  void ended(std::exception_ptr e, report r) {
    over = true;
    failure = e;
    if (!e) result = std::move(r);
    signals.cancel();
    settle.cancel();
    ticker.cancel();
  }
};

}  // namespace

report engine::run(task<report> operation, const std::function<void()>& tick, std::chrono::milliseconds tick_every) {
  parts_->stop.requested = false;
  driver d{parts_->io, parts_->stop};
  d.watch_signals();
  d.tick(tick, tick_every);
  net::co_spawn(
      parts_->io, std::move(operation),
      net::bind_cancellation_slot(d.cancel.slot(), [&d](std::exception_ptr e, report r) { d.ended(e, std::move(r)); }));
  parts_->io.restart();
  parts_->io.run();
  if (!d.failure) return std::move(*d.result);
  try {
    std::rethrow_exception(d.failure);
  } catch (const boost::system::system_error& e) {
    if (d.stop.requested && e.code() == net::error::operation_aborted) throw interrupted();
    throw;
  }
}

}  // namespace dynabackup
