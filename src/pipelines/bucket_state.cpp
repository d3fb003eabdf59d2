#include "pipelines/bucket_state.hpp"

#include <utility>

#include "archive/object_name.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/home.hpp"
#include "pipelines/past_coverage.hpp"
#include "pipelines/runs.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {

task<void> bucket_state::begin() {
  table_ = co_await require_backup(run_, asked_.home);
  if (!asked_.at) co_return;
  const std::chrono::sys_seconds at = co_await settle_moment(run_, asked_.home, *asked_.at);
  past_.emplace(run_, asked_.home.bucket, at);
}

std::optional<std::chrono::sys_seconds> bucket_state::at() const {
  return past_ ? std::optional(past_->at()) : std::nullopt;
}

task<void> bucket_state::judge() {
  coverage known;
  if (past_)
    known = co_await coverage_at(run_, asked_.home, past_->at());
  else
    known = co_await coverage_of(run_, asked_.home);
  doubt(known.missing);
  out_.warnings = std::move(known.warnings);
  one_off_items_ = known.one_off_items;
}

void bucket_state::doubt(const std::string& why) {
  if (why.empty()) return;
  if (past_ && !asked_.accept_incomplete)
    throw error("what " + asked_.home.text() + " held at " + text::rfc3339(past_->at()) +
                " cannot be told for sure: " + why + ". With --accept-incomplete what there is is taken");
  if (out_.not_covered.find(why) != std::string::npos) return;
  out_.not_covered += (out_.not_covered.empty() ? "" : "; ") + why;
}

task<void> bucket_state::read(std::size_t parallelism, taker take) {
  take_ = std::move(take);
  co_await visit(parallelism);
  compare_with_one_off(out_.items_read);
}

task<void> bucket_state::count(plan& into) {
  counted_ = &into;
  co_await visit(1);
  compare_with_one_off(into.items);
}

task<void> bucket_state::survey() {
  plan listed;
  counted_ = &listed;
  surveying_ = true;
  co_await visit_listed(1);
  if (past_) {
    doubt(past_->doubts());
    const std::chrono::sys_seconds at = past_->at();
    past_.emplace(run_, asked_.home.bucket, at);
  }
  compare_with_one_off(listed.items);
  counted_ = nullptr;
  surveying_ = false;
  asked_.accept_incomplete = true;
}

task<void> bucket_state::visit_listed(std::size_t parallelism) {
  auto objects = [this](runtime::in_flight& group) {
    reads_ = &group;
    return list();
  };
  co_await runtime::bounded(parallelism, run_.stop, objects);
}

task<void> bucket_state::visit(std::size_t parallelism) {
  co_await visit_listed(parallelism);
  if (past_) co_await look_back();
}

task<void> bucket_state::list() {
  if (past_)
    co_await list_items_at(run_, asked_.home, past_->at(), *this);
  else
    co_await list_items(run_, asked_.home, *this);
}

task<void> bucket_state::look_back() {
  co_await past_->look_behind();
  out_.past = past_->result();
  if (out_.past->late > 0)
    out_.warnings.push_back("the recorder was behind: " + std::to_string(out_.past->late) +
                            " of the changes that arrived first after " + out_.past->at +
                            " had been made by then, and the state is without them");
  doubt(past_->doubts());
  // Reading may have taken days.
  const std::string expired = co_await expired_at(run_, asked_.home, past_->at());
  doubt(expired);
}

/// Nobody records deletions of a table without a stream: what the last backfill did not see is stale.
void bucket_state::compare_with_one_off(std::uint64_t items) {
  if (!one_off_items_ || items <= *one_off_items_ || !out_.not_covered.empty()) return;
  doubt("the backup holds " + std::to_string(items) + " items, the table had " + std::to_string(*one_off_items_) +
        " when it was last read: items deleted from it since an earlier backfill are still in the backup. A backfill "
        "into an empty prefix is exact");
}

task<void> bucket_state::item(s3::listed_version found) {
  if (counted_ != nullptr) {
    ++counted_->items;
    counted_->bytes += found.size;
    co_return;
  }
  co_await reads_->start(take_one(std::move(found)));
}

void bucket_state::stranger(const std::string& key) {
  if (surveying_) return;
  ++out_.objects_skipped;
  out_.add({"skipped", key, 0, "not an item object of ours: its name is not 64 hex digits"});
}

task<void> bucket_state::take_one(s3::listed_version listed) {
  s3::get_options options;
  options.budget = &bodies_;
  options.version_id = listed.version_id;
  std::optional<s3::object_body> found = co_await run_.objects.get_object(asked_.home.bucket, listed.key, options);
  if (!found) {
    // Deleted since it was listed: the window of the listing allows either. A past moment has no window.
    if (past_) past_->vanished(listed.key);
    co_return;
  }
  const std::string& body = found->answer.body;
  check_body(listed, *found);
  if (past_) past_->read(found->head);
  ++out_.items_read;
  out_.bytes_read += body.size();
  co_await take_(listed, body);
}

void bucket_state::check_body(const s3::listed_version& listed, const s3::object_body& found) const {
  const std::string& body = found.answer.body;
  const std::string name = "s3://" + asked_.home.bucket + "/" + listed.key +
                           (listed.version_id.empty() ? "" : " version " + listed.version_id);
  if (!body.starts_with(archive::body_head) || !body.ends_with(archive::body_tail) ||
      body.find('\n') != std::string::npos)
    throw format_error(name + " is not an item object: its body is not {\"Item\":…} on one line");
  const auto recorded = found.head.meta.find(meta::md5);
  if (recorded != found.head.meta.end() && recorded->second != crypto::md5_hex(body))
    throw format_error(name + " is damaged: its body does not have the md5 in its metadata");
}

}  // namespace dynabackup::pipelines
