#include "simulation/run.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>

#include "dynabackup/error.hpp"
#include "fakes/virtual_clock.hpp"

namespace dynabackup::simulation {
namespace {

namespace net = boost::asio;

/// As in engine.cpp: what the first signal leaves to what is in flight.
constexpr milliseconds settle_time{10'000};

settings settings_for(const run_options& options) {
  settings s;
  s.dynamodb.region = "eu-central-1";
  s.dynamodb.endpoint = std::string("http://") + dynamodb_host + ":8000";
  s.dynamodb.parallelism = options.parallelism;
  s.dynamodb.segments = 4;
  s.s3.region = regions::configured;
  if (!options.aws_hosts) s.s3.endpoint = std::string("http://") + s3_host;
  s.s3.path_style = true;
  s.s3.parallelism = options.parallelism;
  s.memory_bytes = options.memory_bytes;
  s.credentials.environment = [tokens = options.session_tokens](const std::string& name) -> std::optional<std::string> {
    if (tokens) {
      if (name != "AWS_CONTAINER_CREDENTIALS_FULL_URI") return std::nullopt;
      return std::string("http://") + key_host + "/keys";
    }
    if (name == "AWS_ACCESS_KEY_ID") return "AKIDSIMULATED";
    if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
    return std::nullopt;
  };
  return s;
}

void take_failure(const std::exception_ptr& e, bool stopped, run_result& result) {
  result.end = run_end::failed;
  try {
    std::rethrow_exception(e);
  } catch (const interrupted&) {
    result.end = run_end::interrupted;
  } catch (const usage_error& failure) {
    result.usage = true;
    result.error = failure.what();
  } catch (const error& failure) {
    result.error = failure.what();
  } catch (const boost::system::system_error& failure) {
    if (stopped && failure.code() == net::error::operation_aborted)
      result.end = run_end::interrupted;
    else
      result.problem = std::string("an exception of a lower layer: ") + failure.what();
  } catch (const std::exception& failure) {
    result.problem = std::string("an exception that is none of ours: ") + failure.what();
  }
}

/// What outlives the io_context: a crash destroys every coroutine in it while this still stands.
struct stage {
  fakes::virtual_clock clock;
  fake_network network;
  composition stacks;
  progress seen;
  net::cancellation_signal cancel;
  std::optional<fakes::timeline::event> signals;
  bool over = false;
  std::exception_ptr failure;
  std::optional<report> told;

  stage(world& outside, fault_plan& plan, const run_options& options)
      : clock(outside.time, options.skew),
        network(outside, clock, plan),
        stacks(settings_for(options), &network, clock, options.seed) {}

  void interrupt(world& outside, milliseconds after) {
    signals = outside.time.after(after, [this, &outside] {
      outside.say("signal");
      stacks.stop.requested = true;
      signals = outside.time.after(settle_time, [this] {
        signals.reset();
        cancel.emit(net::cancellation_type::terminal);
      });
    });
  }
};

}  // namespace

run_result run_once(world& outside, fault_plan& plan, const operation& what, const run_options& options) {
  const std::uint64_t misdirected_before = outside.places.refusals();
  stage on(outside, plan, options);
  auto io = std::make_unique<net::io_context>(1);
  net::co_spawn(*io, what(on.stacks, on.seen),
                net::bind_cancellation_slot(on.cancel.slot(), [&on](std::exception_ptr e, report told) {
                  on.over = true;
                  on.failure = e;
                  if (!e) on.told = std::move(told);
                }));
  if (options.interrupt_after) on.interrupt(outside, *options.interrupt_after);
  fakes::drive_limits limits;
  limits.time = std::chrono::hours{48};
  if (options.crash_at) limits.handlers = *options.crash_at;
  const fakes::driven d = fakes::drive(*io, outside.time, [&on] { return on.over; }, limits);
  if (on.signals) outside.time.take_back(*on.signals);

  run_result result;
  result.handlers = d.handlers;
  result.requests = on.network.requests();
  result.misdirected = outside.places.refusals() - misdirected_before;
  result.notices = std::move(on.seen.notices);
  if (d.end == fakes::drive_end::stopped) {
    result.end = run_end::crashed;
  } else if (d.end == fakes::drive_end::hung) {
    result.problem = "hung: nothing is left that could go on";
  } else {
    if (on.clock.sleeping() > 0) result.problem = std::to_string(on.clock.sleeping()) + " sleepers outlived the run";
    if (on.failure) {
      take_failure(on.failure, on.stacks.stop.requested, result);
    } else {
      result.end = run_end::done;
      result.told = std::move(on.told);
    }
  }
  io.reset();
  return result;
}

}  // namespace dynabackup::simulation
