// A bucket in memory, a network to it that loses requests as planned, and recorders that live, die and are followed by
// others, on time that nobody waits for.
#pragma once
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/object_name.hpp"
#include "aws/retrying_transport.hpp"
#include "dynabackup/error.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/scripted_transport.hpp"
#include "fakes/test_run.hpp"
#include "fakes/virtual_clock.hpp"
#include "pipelines/record_changes.hpp"
#include "pipelines/recorder.hpp"

namespace dynabackup::fakes {

/// What happens to a request on its way.
struct fate {
  enum class kind { none, refused, lost, error } what = kind::none;  ///< refused: not sent; lost: no answer; error: 500
  std::optional<std::chrono::milliseconds> effect = std::chrono::milliseconds{0};  ///< when it takes effect, if ever
};
inline constexpr fate fine{};
inline constexpr fate refused{fate::kind::refused, std::nullopt};
inline constexpr fate failing{fate::kind::error, std::nullopt};
inline constexpr fate answer_lost{fate::kind::lost};
inline constexpr fate late{fate::kind::lost, std::chrono::seconds{20}};

inline const std::string stream_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-03-01T00:00:00.000";

/// One change of item `id` to value `value`; a deletion where there is none.
struct told {
  std::string sequence;
  std::string id;
  std::optional<std::string> value{};
  std::string arn = stream_arn;
};

inline std::string item_of(const told& t) {
  return R"({"id":{"S":")" + t.id + R"("},"v":{"S":")" + *t.value + R"("}})";
}

inline std::string record_of(const told& t) {
  std::string details = R"({"ApproximateCreationDateTime":1795347900,"Keys":{"id":{"S":")" + t.id + R"("}},)";
  if (t.value) details += R"("NewImage":)" + item_of(t) + ",";
  details += R"("SequenceNumber":")" + t.sequence + R"(","StreamViewType":"NEW_AND_OLD_IMAGES"})";
  return R"({"eventID":"e","eventName":")" + std::string(t.value ? "MODIFY" : "REMOVE") + R"(","eventSourceARN":")" +
         t.arn + R"(","dynamodb":)" + details + "}";
}

inline std::string event_of(const std::vector<std::string>& records) {
  std::string text;
  for (const std::string& r : records) text += (text.empty() ? "" : ",") + r;
  return R"({"Records":[)" + text + "]}";
}

inline std::string event_of(const std::vector<told>& changes) {
  std::vector<std::string> records;
  for (const told& t : changes) records.push_back(record_of(t));
  return event_of(records);
}

inline dynamodb::table_description recorded_table() {
  dynamodb::table_description table;
  table.name = "T";
  table.arn = "arn:aws:dynamodb:us-east-1:123456789012:table/T";
  table.created = "100";
  table.status = "ACTIVE";
  table.key = {{"id", 'S'}};
  return table;
}

struct recorder_world {
  explicit recorder_world(bool conditions = true, bool versioned = true)
      : store([this] { return wall_time{time.wall()}; }, traits(conditions)) {
    store.create_bucket("b", versioned);
  }
  static s3_traits traits(bool conditions) {
    s3_traits t;
    t.conditions_enforced = conditions;
    return t;
  }

  timeline time;
  fake_s3 store;
  /// Asked for every request; `fine` unless a test plans otherwise.
  std::function<fate(const request&)> plan = [](const request&) { return fine; };
  /// Called when a request takes effect, before it does.
  std::function<void(const request&)> before_effect = [](const request&) {};
  std::function<std::chrono::milliseconds()> latency = [] { return std::chrono::milliseconds{10}; };
  std::vector<std::string> requests{};  ///< method and key of each attempt

  [[nodiscard]] static std::string key_of(const std::string& id) {
    return "p/" + archive::object_name(R"({"id":{"S":")" + id + R"("}})");
  }
  /// The versions of an item, oldest first: "12=value", "x" for a delete marker, "?=value" for a backfill's.
  [[nodiscard]] std::string history(const std::string& id) const {
    std::vector<object_version> found = store.versions("b", key_of(id));
    std::reverse(found.begin(), found.end());
    std::string text;
    for (const object_version& v : found) text += (text.empty() ? "" : " ") + text_of(v);
    return text;
  }
  static std::string text_of(const object_version& v) {
    if (v.delete_marker()) return "x";
    const auto sequence = v.meta.find("sequence-number");
    const std::string start = R"("v":{"S":")";
    const std::size_t at = v.body->find(start) + start.size();
    return (sequence == v.meta.end() ? "?" : sequence->second) + "=" + v.body->substr(at, v.body->find('"', at) - at);
  }
  std::string put_by_backfill(const std::string& id, const std::string& value) {
    const std::string body = R"({"Item":)" + item_of({"", id, value}) + "}";
    return store.put("b", key_of(id), body, {{"source", "backfill"}, {"run", "r"}});
  }
  [[nodiscard]] std::size_t kept(const std::string& folder) const {
    return store.current("b", "p/.dynabackup/" + folder).size();
  }
  void pass(std::chrono::milliseconds duration) { time.advance_to(time.elapsed() + duration); }
};

/// The way to the bucket: a latency, half of it before the effect.
class planned_network final : public transport {
 public:
  planned_network(recorder_world& w, runtime::clock& clock) : world_(w), clock_(clock) {}

  task<response> send(request& r) override {
    world_.requests.push_back(r.method + " " + r.target);
    const fate f = world_.plan(r);
    if (f.what == fate::kind::refused)
      throw transport_error(r.to.text(), transport_error::stage::before_send, "refused (planned)");
    const auto half = world_.latency() / 2;
    auto answer = std::make_shared<response>();
    if (f.effect) {
      // The world's own: whoever sent it may be dead by then.
      world_.time.after(half + *f.effect, [answer, copy = r, world = &world_] {
        world->before_effect(copy);
        *answer = world->store.handle(copy);
      });
    }
    co_await clock_.sleep(half * 2);
    if (f.what == fate::kind::lost)
      throw transport_error(r.to.text(), transport_error::stage::after_send, "lost (planned)");
    if (f.what == fate::kind::error)
      *answer = {500, {}, r.method == "HEAD" ? "" : "<Error><Code>InternalError</Code></Error>", {}};
    answer->body.reserve(answer->body.size() + response::body_padding);
    co_return std::move(*answer);
  }

 private:
  recorder_world& world_;
  runtime::clock& clock_;
};

/// One process with a recorder in it. Destroying it is a kill.
struct recorder_process {
  explicit recorder_process(recorder_world& w, record_options options = {}, int attempts = 4, std::uint64_t seed = 1)
      : world(w),
        clock(w.time),
        network(w, clock),
        stack(network, clock, permits, aws::read_xml_failure, policy(attempts), seed) {
    options.to = {"b", "p/"};
    if (options.stream_arn.empty()) options.stream_arn = stream_arn;
    stack.count_into(&seen);
    recording.emplace(run, options);
  }
  static aws::retry_policy policy(int attempts) {
    aws::retry_policy p;
    p.max_attempts = attempts;
    return p;
  }

  recorder_world& world;
  virtual_clock clock;
  planned_network network;
  runtime::semaphore permits{8};
  aws::retrying_transport stack;
  s3::client objects{stack, object_store()};
  scripted_transport table_network;
  dynamodb::client tables{table_network, {.tls = false, .host = "tables.test", .port = 80}};
  dynamodb::streams_client streams{table_network, {.tls = false, .host = "tables.test", .port = 80}};
  runtime::interruption stop;
  progress seen;
  pipelines::capacity reads, writes;
  pipelines::run_context run{tables,
                             streams,
                             objects,
                             objects,
                             clock,
                             stop,
                             seen,
                             8,
                             8,
                             0,
                             std::size_t{8} << 20,
                             pipelines::usual_part_bytes,
                             reads,
                             writes,
                             [] { return 0.5; },
                             [](double) {}};
  std::optional<pipelines::recorder> recording;
  std::optional<boost::asio::io_context> io{std::in_place, 1};  // last: its coroutines go first

  /// Runs `work` to its end; nullopt: it was stopped after so many handlers.
  template <class T>
  std::optional<T> conduct(task<T> work, std::uint64_t handlers = drive_limits{}.handlers) {
    std::optional<T> value;
    std::exception_ptr failure;
    bool done = false;
    boost::asio::co_spawn(*io, std::move(work), [&](std::exception_ptr e, T v) {
      failure = e, done = true;
      if (!e) value.emplace(std::move(v));
    });
    drive_limits limits;
    limits.handlers = handlers;
    const driven end = drive(*io, world.time, [&] { return done; }, limits);
    if (end.end == drive_end::stopped) {
      io.emplace(1);  // what its coroutines refer to here is about to go
      return std::nullopt;
    }
    if (failure) std::rethrow_exception(failure);
    REQUIRE(end.end == drive_end::finished);
    return value;
  }
  void prepare() { conduct(prepared()); }
  recorded record(const std::string& event) {
    const dynamodb::stream_records batch = dynamodb::read_stream_event(event);
    return *conduct(recording->record(batch));
  }
  recorded record(const std::vector<told>& changes) { return record(event_of(changes)); }

 private:
  task<bool> prepared() {
    co_await recording->prepare(recorded_table());
    co_return true;
  }
};

}  // namespace dynabackup::fakes
