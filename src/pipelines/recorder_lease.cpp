#include "pipelines/recorder_lease.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "dynabackup/error.hpp"
#include "pipelines/runs.hpp"
#include "pipelines/small_file.hpp"

namespace dynabackup::pipelines {
namespace {

/// Where conditions are not enforced two may write their claims at the same moment: the later one stays, and both see
/// it when they look again.
constexpr std::chrono::seconds claim_settles{5};

/// Trust must not run out over one connection that hangs.
constexpr std::chrono::seconds request_takes{8}, removal_takes{3};

}  // namespace

task<std::optional<archive::recorder_state>> recorded_so_far(run_context& run, s3_location home) {
  const std::string key = archive::recorder_key(home);
  std::optional<s3::object_body> found = co_await run.objects.get_object(home.bucket, key, {});
  if (!found) co_return std::nullopt;
  co_return read_named(home.bucket, key, found->answer.body, archive::read_recorder_state);
}

recorder_lease::recorder_lease(run_context& run, s3_location home, bool conditional, std::string owner)
    : run_(run),
      home_(std::move(home)),
      key_(archive::recorder_key(home_)),
      conditional_(conditional),
      owner_(std::move(owner)) {}

std::string recorder_lease::name() const { return "s3://" + home_.bucket + "/" + key_; }

task<std::optional<recorder_lease::found_state>> recorder_lease::look() {
  std::optional<s3::object_body> found =
      co_await run_.urgent_objects.get_object(home_.bucket, key_, {.attempt_timeout = request_takes});
  if (!found) co_return std::nullopt;
  co_return found_state{read_named(home_.bucket, key_, found->answer.body, archive::read_recorder_state),
                        found->head.etag, found->head.last_modified};
}

void recorder_lease::refuse(const found_state& held) const {
  const auto age = std::chrono::round<std::chrono::seconds>(run_.bucket_time() - held.at);
  throw usage_error(
      fmt::format("the stream is followed by {} already: {} was renewed {} s ago. Only one may record into {}. If it "
                  "has been killed, start again when the lease has run out, {} s after its last renewal",
                  held.state.owner.empty() ? "another run" : held.state.owner, name(),
                  std::max<std::int64_t>(age.count(), 0), home_.text(), lifetime.count()));
}

void recorder_lease::give_up(const std::string& owner) {
  lost_ = true;
  throw error(
      fmt::format("{} took over {}: this run stops. What counts is the checkpoint there: whoever follows now, or "
                  "is started next, goes on from it",
                  owner.empty() ? "somebody else" : owner, name()));
}

task<archive::recorder_state> recorder_lease::take() {
  const std::optional<found_state> before = co_await look();
  archive::recorder_state state;
  std::chrono::milliseconds may_come_late{0};
  if (before) {
    state = before->state;
    const auto age = run_.bucket_time() - before->at;
    if (!state.owner.empty() && age < lifetime) refuse(*before);
    predecessor_ = state.writer;
    if (!state.owner.empty()) may_come_late = trust + longest_attempt + late_effects - age;
    etag_ = before->etag;
    serial_ = state.serial;
  }
  try {
    co_await save(state);
  } catch (const error&) {
    if (!lost_) throw;
  }
  if (!lost_ && !conditional_) co_await confirm_claim();
  if (lost_) {
    const std::optional<found_state> winner = co_await look();
    if (winner) refuse(*winner);
    throw error(name() + " is being written and removed by somebody else");
  }
  if (may_come_late.count() > 0) {
    // Also where conditions are kept: If-None-Match holds over a delete marker.
    not_before_ = run_.clock.steady_now() + may_come_late;
    run_.seen.notices.push_back(
        fmt::format("{} ended without giving the lease back; waiting {} s until none of its writes can come late",
                    state.owner, std::chrono::ceil<std::chrono::seconds>(may_come_late).count()));
  }
  co_return state;
}

task<void> recorder_lease::confirm_claim() {
  co_await wait_for(run_, claim_settles);
  const std::optional<found_state> now = co_await look();
  lost_ = !now || now->state.owner != owner_;
}

task<void> recorder_lease::save(archive::recorder_state state) {
  state.owner = owner_;
  co_await write(std::move(state));
}

task<void> recorder_lease::release(archive::recorder_state state) {
  state.owner.clear();
  co_await write(std::move(state));
}

/// What is there when it is not what we wrote last: an older or newer write of our own, or another's.
task<void> recorder_lease::find_our_last() {
  const std::optional<found_state> now = co_await look();
  if (!now) give_up({});
  // A predecessor's last write may come late, as may our own; whoever wrote it stops when it looks again. Of another it
  // does not matter whether it gave the lease back: it went on from an older checkpoint than we know, and may have left
  // older states behind that only whoever goes on from its own puts right.
  const std::string& writer = now->state.writer;
  if (writer != owner_ && writer != predecessor_) give_up(writer);
  etag_ = now->etag;
}

task<recorder_lease::outcome> recorder_lease::put(std::string body) {
  s3::put_options options;
  options.attempt_timeout = request_takes;
  if (conditional_) {
    options.if_none_match = !etag_;
    options.if_match = etag_.value_or("");
  } else {
    const std::optional<s3::object_head> head =
        co_await run_.urgent_objects.head_object(home_.bucket, key_, {}, {.timeout = request_takes});
    if ((head ? std::optional(head->etag) : std::nullopt) != etag_) co_return outcome::refused;
  }
  const s3::put_result done = co_await run_.urgent_objects.put_object(home_.bucket, key_, body, options);
  if (done.stored) {
    etag_ = done.etag;
    superseded_ = std::exchange(version_id_, done.version_id);
    co_return outcome::written;
  }
  // A refused retry may be the echo of a first attempt that was stored.
  std::optional<s3::object_body> there =
      co_await run_.urgent_objects.get_object(home_.bucket, key_, {.attempt_timeout = request_takes});
  if (there && there->answer.body == body) {
    etag_ = there->head.etag;
    version_id_ = there->head.version_id;
    co_return outcome::written;
  }
  // A store that refuses the very ETag it tells does not keep If-Match, whatever a probe saw.
  if (there && etag_ && there->head.etag == *etag_) conditional_ = false;
  co_return outcome::refused;
}

task<void> recorder_lease::write(archive::recorder_state state) {
  constexpr int most_rounds = 4;
  for (int round = 0; round < most_rounds; ++round) {
    const bool with_condition = conditional_;
    state.serial = ++serial_;
    state.writer = owner_;
    const moment begun{run_.clock.steady_now(), run_.clock.now()};
    const outcome done = co_await put(archive::write_recorder_state(state));
    if (done == outcome::written) {
      confirmed_ = begun;
      co_await remove_superseded();
      co_return;
    }
    if (with_condition && !conditional_) continue;
    if (!confirmed_) give_up({});
    co_await find_our_last();
  }
  give_up({});
}

/// Versions of this one object would pile up, some ten thousand a day. One that stays behind is no harm, a renewal that
/// comes too late is: one short attempt.
task<void> recorder_lease::remove_superseded() {
  const std::string version_id = std::exchange(superseded_, {});
  if (!may_remove_ || version_id.empty() || version_id == version_id_) co_return;
  const auto once = [asked = false]() mutable {
    if (std::exchange(asked, true)) throw error("not removed at once");
  };
  std::string problem;
  try {
    co_await run_.urgent_objects.delete_object(home_.bucket, key_, version_id, {removal_takes, once});
  } catch (const service_error& e) {
    problem = e.what();
  } catch (const error&) {
  }
  if (problem.empty()) co_return;
  may_remove_ = false;
  run_.seen.notices.push_back("old versions of " + name() +
                              " cannot be removed, a lifecycle rule may do it: " + problem);
}

bool recorder_lease::trusted() const {
  if (lost_ || !confirmed_) return false;
  const auto now = run_.clock.steady_now();
  // Both clocks: one stands still while a machine sleeps, the other may be set.
  return now - confirmed_->steady < trust && run_.clock.now() - confirmed_->wall < trust &&
         !predecessor_may_come_late();
}

bool recorder_lease::predecessor_may_come_late() const { return not_before_ && run_.clock.steady_now() < *not_before_; }

void recorder_lease::check() const {
  if (failure_) std::rethrow_exception(failure_);
}

void recorder_lease::require() {
  if (trusted()) return;
  ++lapses_;
  throw error(name() + " has not been renewed for too long");
}

task<void> recorder_lease::hold() {
  constexpr std::chrono::milliseconds step{100};
  while (!trusted()) {
    run_.stop.check();
    check();
    if (lost_) throw error(name() + " was lost");
    co_await run_.clock.sleep(step);
  }
}

}  // namespace dynabackup::pipelines
