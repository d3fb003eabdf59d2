#include "pipelines/recorder.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "archive/object_name.hpp"
#include "dynabackup/error.hpp"
#include "pipelines/recording.hpp"
#include "pipelines/runs.hpp"
#include "runtime/in_flight.hpp"

namespace dynabackup::pipelines {
namespace {

/// When so many keys in a row fail it is not the keys: the rest is not tried.
constexpr std::size_t most_failures_in_a_row = 32;
/// Keys with writes whose answers were lost: beyond that a batch waits until some are over.
constexpr std::size_t most_unsettled = 20'000;

/// What a batch falls into: keys in the order of their first change, and records whose key or place is unknown.
struct sorted_batch {
  struct stray {
    std::size_t position;
    std::string why;
  };
  std::vector<key_changes> keys;
  std::vector<stray> strays;
};

class batch_sorter {
 public:
  explicit batch_sorter(recording& all) : all_(all) {}

  sorted_batch sort() {
    for (std::size_t i = 0; i < all_.batch.records.size(); ++i) add(i);
    // By number, not by place: a delivery that mixes them up must not make an older change the last.
    for (key_changes& k : result_.keys)
      std::sort(k.positions.begin(), k.positions.end(), [this](std::size_t a, std::size_t b) {
        const std::string& left = all_.record(a).sequence_number;
        const std::string& right = all_.record(b).sequence_number;
        if (dynamodb::sequence_less(left, right)) return true;
        return a < b && !dynamodb::sequence_less(right, left);
      });
    return std::move(result_);
  }

 private:
  void add(std::size_t position) {
    const dynamodb::stream_record& r = all_.record(position);
    std::string key;
    std::string why = r.problem;
    if (!r.keys.empty() && !r.sequence_number.empty()) {
      try {
        std::string whole;
        all_.canonical.item_and_key(r.keys, all_.known.key, whole, key);
        if (whole == key) return add_to_key(position, std::move(key));
        if (why.empty()) why = "its Keys hold more than the table's key";
      } catch (const format_error& e) {
        if (why.empty()) why = std::string("its Keys: ") + e.what();
      }
    }
    result_.strays.push_back({position, std::move(why)});
  }

  void add_to_key(std::size_t position, std::string key) {
    const auto [place, fresh] = index_.try_emplace(std::move(key), result_.keys.size());
    if (fresh) result_.keys.push_back({all_.what.to.key(archive::object_name(place->first)), place->first, {}});
    result_.keys[place->second].positions.push_back(position);
  }

  recording& all_;
  sorted_batch result_;
  std::unordered_map<std::string, std::size_t> index_;
};

void require_this_stream(const dynamodb::stream_records& batch, const std::string& arn) {
  for (const dynamodb::stream_record& r : batch.records)
    if (!r.source_arn.empty() && r.source_arn != arn)
      throw usage_error("a record of stream " + r.source_arn + " came with those of " + arn +
                        ": give each stream a prefix of its own, for example INCREMENTAL_PREFIX=backup/{table}");
}

/// Redelivery goes from a sequence number on: a record without one is reached from the last one before it.
std::string number_at_or_before(const dynamodb::stream_records& batch, std::size_t position) {
  for (std::size_t i = position + 1; i-- > 0;)
    if (!batch.records[i].sequence_number.empty()) return batch.records[i].sequence_number;
  return {};
}

task<void> set_aside_safely(recording& all, sorted_batch::stray s) {
  std::string failure;
  try {
    co_await set_aside(all, s.position, std::move(s.why));
  } catch (const error& e) {
    failure = e.what();
  }
  if (!failure.empty()) all.fail(s.position, failure);
}

/// A batch forgets no write that another one, begun earlier, may still have to reckon with.
class batch_under_way {
 public:
  batch_under_way(std::shared_ptr<recorder_knowledge> known, runtime::clock::steady_time now)
      : known_(std::move(known)), place_(known_->under_way.insert(now)) {
    known_->unsettled.forget(*known_->under_way.begin());
  }
  batch_under_way(const batch_under_way&) = delete;
  batch_under_way& operator=(const batch_under_way&) = delete;
  ~batch_under_way() { known_->under_way.erase(place_); }

 private:
  std::shared_ptr<recorder_knowledge> known_;  // where an io_context is torn down, the recorder may be gone by now
  std::multiset<runtime::clock::steady_time>::iterator place_;
};

task<void> wait_for_room(run_context& run, recorder_knowledge& known) {
  while (known.unsettled.size() > most_unsettled && !run.stop.requested) {
    if (known.under_way.empty()) known.unsettled.forget(run.clock.steady_now());
    co_await run.clock.sleep(std::chrono::milliseconds{500});
  }
}

task<void> record_all(recording& all, sorted_batch sorted, runtime::in_flight& keys) {
  const auto over = [&all] { return all.run.stop.requested || all.failures_in_a_row >= most_failures_in_a_row; };
  for (sorted_batch::stray& s : sorted.strays)
    if (!over()) co_await keys.start(set_aside_safely(all, std::move(s)));
  for (key_changes& k : sorted.keys)
    if (!over()) co_await keys.start(record_key(all, std::move(k)));
}

/// What a store makes of conditions, asked on the descriptor that is there, with the bytes it has: where conditions are
/// kept nothing is written and nothing has to be removed, whatever a function's role allows. Whether the right ETag is
/// taken shows with the first change.
task<store_conditions> ask_descriptor(run_context& run, s3_location home, archive::descriptor known) {
  const std::string key = archive::descriptor_key(home);
  const std::string body = archive::write_descriptor(known);
  s3::put_options options;
  options.if_none_match = true;
  const s3::put_result over_object = co_await run.objects.put_object(home.bucket, key, body, options);
  options.if_none_match = false;
  options.if_match = std::string(32, '0');
  const s3::put_result over_other = co_await run.objects.put_object(home.bucket, key, body, options);
  co_return store_conditions{.if_none_match = !over_object.stored, .if_match = !over_other.stored};
}

}  // namespace

void recording::settle(std::size_t position) {
  settled[position] = true;
  ++run.seen.items;
}

void recording::fail(std::size_t position, const std::string& why) {
  if (first_failed && *first_failed <= position) return;
  first_failed = position;
  out.failure = why;
}

void require_new_images(const dynamodb::stream_records& batch) {
  for (const dynamodb::stream_record& r : batch.records)
    if (r.view_type == "KEYS_ONLY" || r.view_type == "OLD_IMAGE")
      throw usage_error("the stream's view type is " + r.view_type +
                        ": it does not tell what an item became. Switch the stream off and on again with "
                        "StreamViewType NEW_IMAGE or NEW_AND_OLD_IMAGES, then run a backfill");
}

recorder::recorder(run_context& run, record_options what, std::shared_ptr<recorder_knowledge> known)
    : run_(run), what_(std::move(what)), known_(std::move(known)), bodies_(run.memory_bytes / 2) {
  const auto stream = dynamodb::parse_stream_arn(what_.stream_arn);
  if (!stream) throw usage_error("\"" + what_.stream_arn + "\" is not the ARN of a DynamoDB stream");
  label_ = stream->label;
}

task<void> recorder::prepare(dynamodb::table_description table) {
  co_await require_versioning(run_, what_.to, what_.unversioned);
  const archive::descriptor now = archive::describe(table);
  const bool claim = co_await check_home(run_, what_.to, now, what_.adopt);
  if (claim) {
    known_->conditions = co_await probe_conditions(run_, what_.to, new_run_id(run_));
    co_await claim_home(run_, what_.to, now, known_->conditions.if_none_match);
  } else {
    known_->conditions = co_await ask_descriptor(run_, what_.to, now);
  }
  known_->key = std::move(table.key);
  known_->prepared = true;
}

task<recorded> recorder::record(const dynamodb::stream_records& batch) {
  if (!known_->prepared) throw error("changes of " + what_.stream_arn + " came before their prefix was looked at");
  require_new_images(batch);
  require_this_stream(batch, what_.stream_arn);
  co_await wait_for_room(run_, *known_);
  const batch_under_way noted(known_, run_.clock.steady_now());
  recording all{run_, what_, label_, *known_, canonical_, bodies_, batch};
  all.settled.resize(batch.records.size());
  all.out.records = batch.records.size();
  sorted_batch sorted = batch_sorter(all).sort();
  // An interruption is an outcome here, told by the keys; a group that knew of it would throw.
  const runtime::interruption none;
  co_await runtime::bounded(run_.object_parallelism, none,
                            [&](runtime::in_flight& keys) { return record_all(all, std::move(sorted), keys); });
  const auto open = std::find(all.settled.begin(), all.settled.end(), false);
  if (open != all.settled.end()) {
    const auto position = static_cast<std::size_t>(open - all.settled.begin());
    if (all.out.failure.empty()) all.out.failure = interrupted().what();
    all.out.first_failed = number_at_or_before(batch, position);
  }
  co_return std::move(all.out);
}

}  // namespace dynabackup::pipelines
