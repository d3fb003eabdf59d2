#include "pipelines/past_coverage.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <utility>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/item_listing.hpp"
#include "pipelines/open_gaps.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {
namespace {

using std::chrono::sys_seconds;

/// A version appears in lists a moment after the time it is given: nothing of that second is on its way any more.
constexpr std::chrono::seconds time_to_appear{2};

/// Asks for nothing but the time.
task<sys_seconds> bucket_now(run_context& run, s3_location home) {
  co_await run.objects.head_object(home.bucket, archive::descriptor_key(home));
  const s3::time_point now = run.objects.service_time();
  if (now == s3::time_point{}) throw error("the answers of bucket " + home.bucket + " have no Date");
  co_return second_of(now);
}

/// Whether a rule's keys may be names of items, or begin like them.
bool is_about_items(const s3::lifecycle_rule& rule, const s3_location& home) {
  if (home.prefix.starts_with(rule.prefix)) return true;
  if (!rule.prefix.starts_with(home.prefix)) return false;
  const std::string_view rest = std::string_view(rule.prefix).substr(home.prefix.size());
  return rest.size() <= 64 && rest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Whether they may be those that coverage is told by.
bool is_about_records(const s3::lifecycle_rule& rule, const s3_location& home) {
  const std::string books = home.prefix + std::string(archive::bookkeeping);
  for (const char* folder : {"runs/", "gaps/", "dead-letter/"})
    if (rule.prefix.starts_with(books + folder) || (books + folder).starts_with(rule.prefix)) return true;
  return false;
}

struct judge {
  run_context& run;
  s3_location home;
  sys_seconds at;
  coverage found{};

  task<coverage> all() {
    co_await look_at_versioning();
    co_await look_at_rules();
    co_await look_at_runs();
    const std::optional<std::string> gap = co_await open_gap_at(run, home, at);
    if (gap) add("at that moment changes were missing: " + *gap);
    co_return std::move(found);
  }

  void add(const std::string& why) { found.missing += (found.missing.empty() ? "" : "; ") + why; }

  task<void> look_at_versioning() {
    const s3::versioning state = co_await run.objects.get_bucket_versioning(home.bucket);
    if (state == s3::versioning::never_enabled)
      add("bucket " + home.bucket + " is not versioned: what an object was before its last change is gone");
    if (state == s3::versioning::suspended)
      add("versioning of bucket " + home.bucket + " is suspended: changes since then have replaced what was there");
  }

  task<void> look_at_rules() {
    std::vector<s3::lifecycle_rule> rules;
    std::string unread;
    try {
      rules = co_await run.objects.get_bucket_lifecycle(home.bucket);
    } catch (const service_error& e) {
      if (e.failure.status >= 500) throw;
      unread = e.failure.status == 403 ? "may not be read (s3:GetLifecycleConfiguration)" : "are not told";
    } catch (const format_error&) {
      unread = "are told in a form that cannot be read";
    }
    if (!unread.empty())
      add("the lifecycle rules of bucket " + home.bucket + " " + unread + ", so that versions may have expired");
    const sys_seconds now = second_of(run.objects.service_time());
    for (const s3::lifecycle_rule& rule : rules)
      // Objects of ours have no tags.
      if (!rule.tagged) apply(rule, now - at);
  }

  void apply(const s3::lifecycle_rule& rule, std::chrono::seconds age) {
    const bool items = is_about_items(rule, home), records = is_about_records(rule, home);
    if (!items && !records) return;
    const std::string name = fmt::format("lifecycle rule '{}' of bucket {}", rule.id, home.bucket);
    if (rule.expires_current)
      add(name + (items ? " expires current objects: items vanish from the backup that the table still has"
                        : " expires current objects under " + std::string(archive::bookkeeping) +
                              ": gaps and open runs vanish from the records"));
    // S3 removes a version that many days after it was replaced, not earlier: what was current then is still there
    // while they last.
    if (rule.noncurrent && age >= *rule.noncurrent)
      add(fmt::format("{} removes versions {} days after they were replaced: the moment is {} days ago", name,
                      rule.noncurrent->count(), std::chrono::floor<std::chrono::days>(age).count()));
    if (rule.archives_current || (rule.archives_noncurrent && age >= *rule.archives_noncurrent))
      add(name + " moves objects to an archive class: nothing is read from there before it is restored in S3");
  }

  /// As coverage_of, with what the records say of that moment: a run that was not closed then was open.
  task<void> look_at_runs() {
    const std::string behind = text::amz_date(at + std::chrono::seconds{1});  // ids begin with the bucket's time
    std::vector<archive::run_record> records = co_await recorded_runs(run, home, behind);
    const auto open = [this](const archive::run_record& r) { return left_open(r) || ended_behind(r); };
    const auto unfinished = std::find_if(records.begin(), records.end(), open);
    if (unfinished != records.end())
      add("backfill run " + unfinished->id + " was under way" +
          (left_open(*unfinished) ? " or left open, and still is" : " or open until " + unfinished->ended) +
          ": an item deleted meanwhile may seem to be there");
    std::erase_if(records, open);
    const auto proof = std::find_if(records.begin(), records.end(), [](const auto& r) { return r.finished; });
    if (proof == records.end()) {
      const std::string first = co_await first_proof();
      add("no backfill had been finished by then" + first);
      co_return;
    }
    coverage said;
    judge_finished(*proof, said);
    if (!said.missing.empty()) add(said.missing);
    std::move(said.warnings.begin(), said.warnings.end(), std::back_inserter(found.warnings));
    found.one_off_items = said.one_off_items;
    co_await look_at_version(proof->id);
  }

  [[nodiscard]] bool ended_behind(const archive::run_record& r) const {
    const auto ended = text::parse_rfc3339(r.ended);
    return !ended || second_of(*ended) > at;
  }

  /// A record without a version of its own was written while the bucket kept none.
  task<void> look_at_version(std::string run_id) {
    const std::optional<s3::object_head> head =
        co_await run.objects.head_object(home.bucket, archive::run_key(home, run_id));
    if (head && (head->version_id.empty() || head->version_id == "null") && found.missing.empty())
      add("bucket " + home.bucket + " was not versioned when backfill run " + run_id + " ended");
  }

  /// ", the first one ended …", or nothing.
  task<std::string> first_proof() {
    const std::vector<archive::run_record> all = co_await recorded_runs(run, home);
    const auto first =
        std::find_if(all.rbegin(), all.rend(), [](const auto& r) { return r.finished && !left_open(r); });
    co_return first == all.rend() ? std::string() : ": the earliest that is known ended " + first->ended;
  }
};

}  // namespace

task<sys_seconds> settle_moment(run_context& run, s3_location home, moment asked) {
  constexpr int most_looks = 10;
  sys_seconds now = co_await bucket_now(run, home);
  const sys_seconds at = asked.time ? *asked.time : now - asked.ago;
  if (at > now)
    throw usage_error(fmt::format("{} lies ahead: by the clock of bucket {} it is {}", text::rfc3339(at), home.bucket,
                                  text::rfc3339(now)));
  for (int looks = 0; now < at + time_to_appear; ++looks) {
    if (looks == most_looks) throw error("the clock of bucket " + home.bucket + " stands still");
    co_await wait_for(run, at + time_to_appear - now);
    now = co_await bucket_now(run, home);
  }
  co_return at;
}

task<std::string> expired_at(run_context& run, s3_location home, sys_seconds at) {
  judge work{run, std::move(home), at};
  co_await work.look_at_rules();
  co_return std::move(work.found.missing);
}

task<coverage> coverage_at(run_context& run, s3_location home, sys_seconds at) {
  judge work{run, std::move(home), at};
  co_return co_await work.all();
}

}  // namespace dynabackup::pipelines
