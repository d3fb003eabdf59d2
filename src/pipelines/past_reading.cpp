#include "pipelines/past_reading.hpp"

#include <algorithm>
#include <utility>

#include "pipelines/home.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr std::chrono::seconds around{60};
/// A recorder that is behind brings what is late first: whether it was shows in the first changes to arrive.
constexpr std::size_t most_looks = 256;

bool came_earlier(const s3::listed_version& a, const s3::listed_version& b) {
  return a.last_modified < b.last_modified;
}

std::optional<s3::time_point> changed_at(const s3::object_head& head) {
  const auto told = head.meta.find(meta::changed_at);
  return told == head.meta.end() ? std::nullopt : text::parse_rfc3339(told->second);
}

std::chrono::milliseconds lag_of(const s3::object_head& head, s3::time_point changed) {
  return std::max(head.last_modified - changed, std::chrono::milliseconds{0});
}

}  // namespace

void past_reading::count(std::chrono::milliseconds lag) {
  ++told_.changes;
  told_.lag = std::max(told_.lag.value_or(lag), lag);
}

void past_reading::read(const s3::object_head& head) {
  const std::optional<s3::time_point> changed = changed_at(head);
  if (!changed) return;
  const std::chrono::milliseconds lag = lag_of(head, *changed);
  if (head.last_modified >= newest_) {
    newest_lag_ = head.last_modified == newest_ ? std::max(newest_lag_, lag) : lag;
    newest_ = head.last_modified;
  }
  if (head.last_modified + around >= at_) count(lag);
}

void past_reading::vanished(const std::string& key) {
  ++vanished_;
  vanished_key_ = key;
}

void past_reading::later(s3::listed_version found) {
  // Versions without an id replace each other: one that came later may lie where another lay then.
  if (found.version_id == "null") overwritten_ = found.key;
  if (found.delete_marker) return;
  behind_.push_back(std::move(found));
  std::push_heap(behind_.begin(), behind_.end(), came_earlier);
  if (behind_.size() <= most_looks) return;
  std::pop_heap(behind_.begin(), behind_.end(), came_earlier);
  behind_.pop_back();
}

task<void> past_reading::look_behind() {
  auto looks = [this](runtime::in_flight& group) { return start_looks(group); };
  co_await runtime::bounded(run_.object_parallelism, run_.stop, looks);
}

task<void> past_reading::start_looks(runtime::in_flight& looks) {
  for (s3::listed_version& found : behind_) co_await looks.start(look(std::move(found)));
}

task<void> past_reading::look(s3::listed_version found) {
  const std::optional<s3::object_head> head =
      co_await run_.objects.head_object(bucket_, std::move(found.key), std::move(found.version_id));
  const std::optional<s3::time_point> changed = head ? changed_at(*head) : std::nullopt;
  if (!changed) co_return;
  const bool late = *changed < at_ + std::chrono::seconds{1};
  if (late) ++told_.late;
  if (late || head->last_modified <= at_ + around) count(lag_of(*head, *changed));
}

std::string past_reading::doubts() const {
  std::string why;
  if (!overwritten_.empty())
    why = "bucket " + bucket_ + " was not versioned all the time since: object " + overwritten_ +
          " was written without a version of its own after that moment";
  if (vanished_ > 0)
    why += (why.empty() ? "" : "; ") + std::to_string(vanished_) +
           " versions were removed while they were to be read, among them one of " + vanished_key_;
  return why;
}

past_state past_reading::result() const {
  past_state told = told_;
  told.at = text::rfc3339(at_);
  if (newest_ != s3::time_point{}) {
    told.last_recorded = text::rfc3339(newest_);
    if (!told.lag) told.lag = newest_lag_;
  }
  return told;
}

}  // namespace dynabackup::pipelines
