#include <algorithm>
#include <functional>
#include <utility>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/recording.hpp"
#include "pipelines/runs.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

using change = dynamodb::stream_record::change;

/// Somebody else writes the key between our look and our write so often at the most: a backfill does it once.
constexpr int most_rounds = 8;
/// A body is held here, in case it must be put again, and in the request that carries it.
constexpr std::size_t copies = 2;

/// What is current, and which change made it so.
struct found_state : key_state {
  std::string label{};  ///< of the stream whose change it is; empty: a backfill's object, or nothing
};

/// A change ready to be written; a delete has no body. It is made anew where it is needed again: who held one while
/// waiting for memory for the next could wait for ever.
struct ready_change {
  const dynamodb::stream_record& record;
  std::string body{};
  byte_budget::charge charge{};
};

class key_recording {
 public:
  key_recording(recording& all, key_changes changes) : all_(all), changes_(std::move(changes)) {}

  task<void> run() {
    if (all_.what.coalesce)
      co_await record_newest();
    else
      for (const std::size_t position : changes_.positions) co_await record(position);
    if (newest_ != nullptr) co_await outlast_late_effects();
    settle();
    all_.failures_in_a_row = 0;
  }

  void failed(const std::string& why) {
    // What is written stays told as recorded, unless an older state surfaced or may: then all is delivered again.
    if (newest_ == nullptr || (newest_is_current() && !threat())) settle();
    all_.fail(at_, why);
    ++all_.failures_in_a_row;
  }

 private:
  void settle() {
    for (const std::size_t position : done_) all_.settle(position);
  }

  /// False: it cannot be read and was set aside.
  task<bool> record(std::size_t position) {
    at_ = position;
    const dynamodb::stream_record& r = all_.record(position);
    if (newest_ != nullptr && !dynamodb::sequence_less(newest_->sequence_number, r.sequence_number)) {
      ++all_.out.repeats;
      done_.push_back(position);
      co_return true;
    }
    ready_change c{r};
    std::string why = r.problem;
    if (r.what == change::put) why = co_await make_ready(c);
    if (!why.empty()) {
      co_await set_aside(all_, position, std::move(why));
      co_return false;
    }
    const bool wrote = co_await write(c);
    count(c, wrote);
    newest_ = &r;
    done_.push_back(position);
    co_return true;
  }

  task<void> record_newest() {
    std::size_t left = changes_.positions.size();
    bool recorded = false;
    while (left > 0 && !recorded) recorded = co_await record(changes_.positions[--left]);
    done_.insert(done_.end(), changes_.positions.begin(),
                 changes_.positions.begin() + static_cast<std::ptrdiff_t>(left));
    all_.out.coalesced += left;
  }

  /// Why it cannot be read; empty: it can.
  task<std::string> make_ready(ready_change& c) {
    c.charge = co_await all_.bodies.acquire(copies * (c.record.new_image.size() + archive::body_head.size() + 1));
    std::string why = make_body(c.record, c.body);
    c.charge.resize(copies * c.body.size());
    co_return why;
  }

  std::string make_body(const dynamodb::stream_record& r, std::string& body) {
    std::string key;
    body = archive::body_head;
    try {
      all_.canonical.item_and_key(r.new_image, all_.known.key, body, key);
    } catch (const format_error& e) {
      return std::string("its NewImage: ") + e.what();
    }
    body += archive::body_tail;
    return key == changes_.canonical_key ? std::string() : "its NewImage has another key than its Keys";
  }

  void count(const ready_change& c, bool wrote) {
    if (!wrote) {
      ++all_.out.repeats;
      return;
    }
    ++(c.record.what == change::remove ? all_.out.deletes : all_.out.puts);
    all_.run.seen.bytes += c.body.size();
    if (c.record.changed_at.count() == 0) return;
    const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(all_.run.clock.now().time_since_epoch());
    all_.out.lag = std::max(all_.out.lag, now - c.record.changed_at);
  }

  /// False: it, or something newer, is there already.
  task<bool> write(const ready_change& c) {
    bool tried = false;
    for (int round = 0; round < most_rounds; ++round) {
      all_.run.stop.check();
      if (!state_) state_ = co_await look();
      if (is_there(c.record)) co_return tried;  // after a try: a lost success of our own
      const std::string refused_with = state_->etag;
      tried = true;
      bool done = false;
      if (c.record.what == change::remove)
        done = co_await remove(c);
      else
        done = co_await put(c);
      if (done) co_return true;
      state_ = co_await look();
      if (state_->etag == refused_with) doubt_conditions();
    }
    throw error(name() + " is being written by somebody else all the time");
  }

  /// The change, or one after it, is what the object that is current tells of.
  [[nodiscard]] bool is_there(const dynamodb::stream_record& r) const {
    if (!state_->there || state_->label.empty()) return false;
    if (state_->label == all_.label) return !dynamodb::sequence_less(state_->sequence, r.sequence_number);
    // Labels are the times at which streams were switched on: the other stream came after ours.
    return state_->label > all_.label;
  }

  task<found_state> look() {
    const auto asked_at = all_.run.clock.steady_now();
    const std::optional<s3::object_head> head =
        co_await all_.run.objects.head_object(all_.what.to.bucket, changes_.object);
    found_state found;
    found.asked_at = asked_at;
    if (!head) co_return found;
    found.there = true;
    found.etag = head->etag;
    const auto value = [&](const char* name) {
      const auto m = head->meta.find(name);
      return m == head->meta.end() ? std::string() : m->second;
    };
    const std::string sequence = value(meta::sequence_number);
    const bool number = !sequence.empty() && sequence.size() <= dynamodb::max_sequence_digits &&
                        sequence.find_first_not_of("0123456789") == std::string::npos;
    if (value(meta::source) == meta::from_stream && number) {
      found.label = value(meta::stream);
      found.sequence = sequence;
    }
    co_return found;
  }

  task<bool> put(const ready_change& c) {
    s3::put_options options;
    options.meta = {{meta::source, meta::from_stream},
                    {meta::md5, crypto::md5_hex(c.body)},
                    {meta::stream, all_.label},
                    {meta::sequence_number, c.record.sequence_number}};
    if (c.record.changed_at.count() > 0)
      options.meta[meta::changed_at] = text::rfc3339(text::millis{c.record.changed_at});
    if (state_->there && all_.known.conditions.if_match) options.if_match = state_->etag;
    options.if_none_match = !state_->there && all_.known.conditions.if_none_match;
    bool held_back = false;
    options.before_attempt = leave_for_each_attempt(held_back);
    unsettled_write tried{false, c.record.sequence_number, options.if_none_match, options.if_match, {}};
    const auto asked_at = all_.run.clock.steady_now();
    s3::put_result done;
    try {
      done = co_await all_.run.objects.put_object(all_.what.to.bucket, changes_.object, c.body, std::move(options));
    } catch (...) {
      if (!held_back) lost(std::move(tried));
      throw;
    }
    if (done.unsettled) lost(std::move(tried));
    if (!done.stored) co_return false;
    state_ = found_state{{true, done.etag, c.record.sequence_number, asked_at}, all_.label};
    co_return true;
  }

  /// A delete marker also over nothing: the sweep tells by it that a backfill brought an item back. No condition says
  /// "over nothing", so a DELETE whose answer was lost is always one that may fall on a newer object.
  task<bool> remove(const ready_change& c) {
    const std::string if_match = all_.known.conditions.if_match ? state_->etag : std::string();
    bool held_back = false;
    const s3::attempt_options attempts{.before_attempt = leave_for_each_attempt(held_back)};
    unsettled_write tried{true, c.record.sequence_number, false, if_match, {}};
    const auto asked_at = all_.run.clock.steady_now();
    s3::marker_result done;
    try {
      done = co_await all_.run.objects.leave_marker(all_.what.to.bucket, changes_.object, if_match, attempts);
    } catch (...) {
      if (!held_back) lost(std::move(tried));
      throw;
    }
    if (done.unsettled) lost(std::move(tried));
    if (!done.left) co_return false;
    state_ = found_state{{false, {}, c.record.sequence_number, asked_at}, all_.label};
    co_return true;
  }

  /// A write waits for its turn, and is retried for minutes: what allowed it may have ended since. `held_back`: its
  /// first attempt was refused, so nothing was sent. It outlives the write.
  std::function<void()> leave_for_each_attempt(bool& held_back) {
    return [this, &held_back, first = true]() mutable {
      held_back = std::exchange(first, false);
      if (all_.known.may_write) all_.known.may_write();
      held_back = false;
    };
  }

  /// An answer to that write was lost, whatever the last one said.
  void lost(unsettled_write w) {
    w.until = all_.run.clock.steady_now() + late_effects;
    all_.known.unsettled.add(changes_.object, std::move(w));
  }

  /// A store that refuses the very state it tells does not keep conditions as AWS does, whatever a probe saw. It may
  /// have been a coincidence, so twice.
  void doubt_conditions() {
    if (++refusals_ < 2) return;
    (state_->there ? all_.known.conditions.if_match : all_.known.conditions.if_none_match) = false;
  }

  /// Or something newer, as far as we know. A backfill's object on our delete marker is the sweep's business.
  [[nodiscard]] bool newest_is_current() const {
    return is_there(*newest_) || (newest_->what == change::remove && (!state_->there || state_->label.empty()));
  }

  [[nodiscard]] std::optional<runtime::clock::steady_time> threat() const {
    return all_.known.unsettled.threat(changes_.object, *state_);
  }

  /// Waits until no write of this key whose answer was lost can land on what is current. Where one has landed, the
  /// newest change is put again.
  task<void> outlast_late_effects() {
    for (int round = 0; round < most_rounds; ++round) {
      const auto until = threat();
      if (!until) co_return;
      const auto left = *until - all_.run.clock.steady_now();
      co_await wait_for(all_.run, std::chrono::ceil<std::chrono::milliseconds>(left));
      state_ = co_await look();
      if (newest_is_current()) continue;
      ready_change again{*newest_};
      if (newest_->what == change::put) co_await make_ready(again);
      co_await write(again);
    }
    throw error(name() + ": the answers to its writes are lost all the time");
  }

  [[nodiscard]] std::string name() const { return "s3://" + all_.what.to.bucket + "/" + changes_.object; }

  recording& all_;
  key_changes changes_;
  std::size_t at_ = 0;                               ///< the change that is being recorded
  std::vector<std::size_t> done_;                    ///< recorded, or as good
  const dynamodb::stream_record* newest_ = nullptr;  ///< of those
  std::optional<found_state> state_;                 ///< what is current, as far as we know
  int refusals_ = 0;
};

}  // namespace

task<void> record_key(recording& all, key_changes changes) {
  key_recording key(all, std::move(changes));
  std::string failure;
  try {
    co_await key.run();
  } catch (const error& e) {
    failure = e.what();
  }
  if (!failure.empty()) key.failed(failure);
}

}  // namespace dynabackup::pipelines
