#include "dynabackup/engine.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <random>
#include <utility>

#include "aws/shared_files.hpp"
#include "composition.hpp"
#include "dynabackup/shared_config.hpp"
#include "pipelines/backfill.hpp"
#include "pipelines/follow.hpp"
#include "pipelines/item_versions.hpp"
#include "pipelines/record_changes.hpp"
#include "pipelines/restore.hpp"
#include "pipelines/restore_past.hpp"
#include "pipelines/snapshot.hpp"

namespace dynabackup {
namespace {

namespace net = boost::asio;

/// How long the first signal lets what is in flight settle (design section 2).
constexpr std::chrono::seconds settle_time{10};

void need_table(const settings& s) {
  if (s.dynamodb.region.empty() && !s.dynamodb.endpoint)
    throw usage_error("the table's region is not set: DYNAMODB_REGION, dynamodb.region or AWS_REGION");
}

}  // namespace

std::optional<std::string> shared_config_value(const credential_settings& settings, std::string_view key) {
  const std::size_t dot = key.find('.');
  if (dot == std::string_view::npos) return aws::profile_value(settings, key);
  return aws::service_value(settings, key.substr(0, dot), key.substr(dot + 1));
}

/// One set of stacks on real time. Declared owner first.
struct engine::parts {
  net::io_context io{1};
  runtime::system_clock clock;
  composition stacks;
  pipelines::known_streams streams;
  bool broken_off = false;

  parts(settings given, transport* network) : stacks(std::move(given), network, clock, std::random_device{}()) {}
};

engine::engine(settings configuration) : parts_(std::make_unique<parts>(std::move(configuration), nullptr)) {}

engine::engine(settings configuration, transport& network)
    : parts_(std::make_unique<parts>(std::move(configuration), &network)) {}

engine::~engine() = default;
engine::engine(engine&&) noexcept = default;

task<report> engine::backfill(backfill_options what, progress& seen) {
  need_table(parts_->stacks.configuration);
  return parts_->stacks.timed(&pipelines::backfill, std::move(what), seen);
}

task<report> engine::snapshot(snapshot_options what, progress& seen) {
  return parts_->stacks.timed(&pipelines::snapshot, std::move(what), seen);
}

task<report> engine::restore(restore_options what, progress& seen) {
  need_table(parts_->stacks.configuration);
  return parts_->stacks.timed(&pipelines::restore, std::move(what), seen);
}

task<report> engine::restore_past(past_restore_options what, progress& seen) {
  need_table(parts_->stacks.configuration);
  return parts_->stacks.timed(&pipelines::restore_past, std::move(what), seen);
}

task<report> engine::follow(follow_options what, progress& seen) {
  need_table(parts_->stacks.configuration);
  return parts_->stacks.timed(&pipelines::follow, std::move(what), seen);
}

task<report> engine::record_changes(record_options what, std::string event_json, progress& seen) {
  need_table(parts_->stacks.configuration);
  return parts_->stacks.timed(&pipelines::record_changes,
                              pipelines::record_order{std::move(what), std::move(event_json), parts_->streams}, seen);
}

task<report> engine::history(item_options what, item_listener& to, progress& seen) {
  return parts_->stacks.timed(&pipelines::history, pipelines::item_order{std::move(what), to}, seen);
}

task<report> engine::show(item_options what, item_listener& to, progress& seen) {
  return parts_->stacks.timed(&pipelines::show, pipelines::item_order{std::move(what), to}, seen);
}

namespace {

/// The state of one run(): the root coroutine, the signals, the timers, all on one io_context.
struct driver {
  net::io_context& io;
  runtime::interruption& stop;
  net::cancellation_signal cancel{};
  net::signal_set signals{io, SIGINT, SIGTERM};
  net::steady_timer settle{io};
  net::steady_timer ticker{io};
  net::steady_timer limit{io};
  bool too_late = false;  // it was the limit, no signal, that stopped the run
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

  using step = void (driver::*)(const time_limit&);
  void at(time_limit::time_point when, step next, const time_limit& times) {
    limit.expires_at(when);
    limit.async_wait([this, next, times](boost::system::error_code e) {
      if (!e && !over) (this->*next)(times);
    });
  }
  void watch(const time_limit& times) { at(times.stop, &driver::limit_reached, times); }
  void limit_reached(const time_limit& times) {
    too_late = !std::exchange(stop.requested, true);
    at(times.cancel, &driver::limit_passed, times);
  }
  void limit_passed(const time_limit& times) {
    at(times.end, &driver::break_off, times);
    cancel.emit(net::cancellation_type::terminal);
  }
  void break_off(const time_limit& /*times*/) { io.stop(); }

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
    limit.cancel();
    io.stop();
  }
};

}  // namespace

report engine::run(task<report> operation, const std::function<void()>& tick, std::chrono::milliseconds tick_every,
                   std::optional<time_limit> limit) {
  parts_->stacks.stop.requested = false;
  driver d{parts_->io, parts_->stacks.stop};
  d.watch_signals();
  d.tick(tick, tick_every);
  if (limit) d.watch(*limit);
  net::co_spawn(
      parts_->io, std::move(operation),
      net::bind_cancellation_slot(d.cancel.slot(), [&d](std::exception_ptr e, report r) { d.ended(e, std::move(r)); }));
  parts_->io.restart();
  parts_->io.run();
  if (!d.over) {
    parts_->broken_off = true;
    throw out_of_time();
  }
  drain(limit);
  if (!d.failure) return std::move(*d.result);
  try {
    std::rethrow_exception(d.failure);
  } catch (const interrupted&) {
    if (d.too_late) throw out_of_time();
    throw;
  } catch (const boost::system::system_error& e) {
    if (!d.stop.requested || e.code() != net::error::operation_aborted) throw;
    if (d.too_late) throw out_of_time();
    throw interrupted();
  }
}

/// What the operation left behind (a look-up of a name, another's wait for credentials) has the rest of the time.
void engine::drain(const std::optional<time_limit>& limit) {
  net::io_context& io = parts_->io;
  io.restart();
  if (!limit) {
    io.run();
    return;
  }
  io.run_until(limit->end);
  if (!io.stopped()) io.poll();
  parts_->broken_off = !io.stopped();
}

bool engine::broken_off() const { return parts_->broken_off; }

}  // namespace dynabackup
