// A table with a stream and a bucket in memory, time that nobody waits for, and followers that start, stop, freeze and
// die in it.
#pragma once
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "archive/object_name.hpp"
#include "archive/recorder_state.hpp"
#include "archive/run_record.hpp"
#include "composition.hpp"
#include "fakes/aws/fake_dynamodb.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/virtual_clock.hpp"
#include "pipelines/follow.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::pipelines {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct follow_world {
  fakes::timeline time;
  fakes::fake_s3 store;
  fakes::fake_dynamodb tables;
  s3_location home{"backup", "items/"};

  explicit follow_world(fakes::s3_traits traits = {}, const std::string& view = "NEW_AND_OLD_IMAGES")
      : store([this] { return time.wall(); }, traits), tables([this] { return time.wall(); }) {
    store.create_bucket(home.bucket, true);
    tables.create_table("t", {{"id", 'S'}}, view);
  }

  void put(const std::string& id, int n) {
    tables.put("t", R"({"id":{"S":")" + id + R"("},"n":{"N":")" + std::to_string(n) + R"("}})");
  }
  void remove(const std::string& id) { tables.remove("t", R"({"id":{"S":")" + id + R"("}})"); }

  std::string call(const std::string& target, std::string body) {
    request r;
    r.method = "POST";
    r.headers = {{"X-Amz-Target", "DynamoDB_20120810." + target}, {"Content-Type", "application/x-amz-json-1.0"}};
    r.body = std::move(body);
    return tables.handle(r).body;
  }
  void switch_stream(bool on) {
    call("UpdateTable",
         on ? R"({"TableName":"t","StreamSpecification":{"StreamEnabled":true,"StreamViewType":"NEW_IMAGE"}})"
            : R"({"TableName":"t","StreamSpecification":{"StreamEnabled":false}})");
  }

  /// Whether every item of the table is current in the bucket, and nothing else.
  [[nodiscard]] bool equal() const {
    std::map<std::string, std::string> wanted, found;
    for (const auto& [key, item] : tables.items("t"))
      wanted[home.key(archive::object_name(key))] = R"({"Item":)" + item + "}";
    for (const auto& [key, version] : store.current(home.bucket, home.prefix))
      if (key.find(".dynabackup/") == std::string::npos) found[key] = *version.body;
    return wanted == found;
  }
  [[nodiscard]] std::vector<std::string> gaps() const {
    std::vector<std::string> result;
    for (const auto& [key, version] : store.current(home.bucket, home.prefix + ".dynabackup/gaps/"))
      result.push_back(*version.body);
    return result;
  }
  [[nodiscard]] std::string stream_label() { return described("LatestStreamLabel"); }
  [[nodiscard]] std::string stream_arn() { return described("LatestStreamArn"); }
  [[nodiscard]] std::string described(const std::string& name) {
    const std::string told = call("DescribeTable", R"({"TableName":"t"})");
    const std::string member = "\"" + name + R"(":")";
    const auto begin = told.find(member) + member.size();
    return told.substr(begin, told.find('"', begin) - begin);
  }
  void pass(milliseconds how_long) { time.advance_to(time.elapsed() + how_long); }

  /// A backfill that was there before.
  void backfilled(const std::string& id, milliseconds ago, const std::string& stream_label) {
    archive::run_record r;
    r.id = id;
    r.table_arn = "arn:t";
    r.started = r.ended = text::rfc3339(std::chrono::floor<milliseconds>(time.wall()) - ago);
    r.finished = r.swept = true;
    r.stream_label = stream_label;
    store.put(home.bucket, archive::run_key(home, id), archive::write_run_record(r), {});
  }
  [[nodiscard]] archive::recorder_state state() const {
    return archive::read_recorder_state(*store.versions(home.bucket, archive::recorder_key(home)).at(0).body);
  }
};

/// One process. It only runs while it is driven.
class follower final : public transport {
 public:
  std::function<void(const request&)> watch;  ///< sees every request
  /// How long a request takes beside the way; longer than its time-out: no answer, and no effect.
  std::function<milliseconds(const request&)> delay;
  /// The status a request is answered with instead; 0: what the service says.
  std::function<int(const request&)> refuse;
  /// An answer that no service gave.
  std::function<std::optional<response>(const request&)> instead;
  std::uint64_t item_writes = 0;

  explicit follower(follow_world& outside, follow_options what = {}, std::optional<std::string> lambda = {})
      : world_(outside), clock_(outside.time) {
    stacks_.emplace(configured(std::move(lambda)), this, clock_, ++seeds);
    what.table = "t";
    what.to = outside.home;
    boost::asio::co_spawn(*io_, stacks_->timed(&follow, std::move(what), seen_),
                          boost::asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr e, report r) {
                            over_ = true;
                            failure_ = e;
                            if (!e) told_ = std::move(r);
                          }));
  }
  follower(const follower&) = delete;
  follower& operator=(const follower&) = delete;
  ~follower() override { io_.reset(); }

  /// Lets it run for so long, or until it ends.
  void run(milliseconds how_long) {
    bool due = false;
    const auto alarm = world_.time.after(how_long, [&due] { due = true; });
    fakes::drive(*io_, world_.time, [&] { return due || over_; });
    if (!due) world_.time.take_back(alarm);
  }
  void stop() { stacks_->stop.requested = true; }
  /// Stops it and lets it end.
  report stopped() {
    stop();
    run(minutes{2});
    return outcome();
  }
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] const progress& seen() const { return seen_; }
  report outcome() {
    if (!over_) throw std::logic_error("it has not ended");
    if (failure_) std::rethrow_exception(failure_);
    return *told_;
  }

  task<response> send(request& r) override {
    const bool s3 = r.to.host == "s3.test";
    if (watch) watch(r);
    if (s3 && (r.method == "PUT" || r.method == "DELETE") && r.target.find(".dynabackup") == std::string::npos)
      ++item_writes;
    const milliseconds longer = delay ? delay(r) : milliseconds{0};
    co_await clock_.sleep(milliseconds{3} + std::min(longer, r.attempt_timeout));
    if (longer > r.attempt_timeout) throw transport_error(r.to.text(), transport_error::stage::after_send, "timed out");
    response refusal;
    refusal.status = refuse ? refuse(r) : 0;
    if (refusal.status != 0) co_return refusal;
    if (auto forged = instead ? instead(r) : std::nullopt) {
      forged->body.reserve(forged->body.size() + response::body_padding);
      co_return std::move(*forged);
    }
    response answer = s3 ? world_.store.handle(r) : world_.tables.handle(r);
    co_await clock_.sleep(milliseconds{3});
    answer.body.reserve(answer.body.size() + response::body_padding);
    co_return answer;
  }

 private:
  static inline std::uint64_t seeds = 0;

  static settings configured(std::optional<std::string> lambda) {
    settings s;
    s.dynamodb.region = s.s3.region = "eu-central-1";
    s.dynamodb.endpoint = "http://dynamodb.test:8000";
    s.s3.endpoint = "http://s3.test";
    s.s3.path_style = true;
    s.lambda.endpoint = std::move(lambda);
    s.credentials.environment = [](const std::string& name) -> std::optional<std::string> {
      if (name == "AWS_ACCESS_KEY_ID") return "AKIDTEST";
      if (name == "AWS_SECRET_ACCESS_KEY") return "secret";
      return std::nullopt;
    };
    return s;
  }

  follow_world& world_;
  fakes::virtual_clock clock_;
  std::optional<composition> stacks_;
  progress seen_;
  boost::asio::cancellation_signal cancel_;
  bool over_ = false;
  std::exception_ptr failure_;
  std::optional<report> told_;
  std::unique_ptr<boost::asio::io_context> io_ = std::make_unique<boost::asio::io_context>(1);
};

}  // namespace dynabackup::pipelines
