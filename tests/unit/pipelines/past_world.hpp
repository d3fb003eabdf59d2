// A bucket in memory with a history that the test writes, second by second, and snapshots of its past.
#pragma once
#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "archive/descriptor.hpp"
#include "archive/gap.hpp"
#include "archive/manifest.hpp"
#include "archive/object_name.hpp"
#include "archive/run_record.hpp"
#include "dynabackup/error.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/test_run.hpp"
#include "pipelines/snapshot.hpp"
#include "text/timestamps.hpp"

namespace dynabackup::fakes {

/// Straight to the store; counts what is asked.
class direct_network final : public transport {
 public:
  explicit direct_network(fake_s3& store) : store_(store) {}
  task<response> send(request& r) override {
    asked.push_back(r.method + " " + r.target);
    if (before) before(r);
    response answer = store_.handle(r);
    answer.body.reserve(answer.body.size() + response::body_padding);
    co_return answer;
  }
  std::vector<std::string> asked;
  std::function<void(const request&)> before;

 private:
  fake_s3& store_;
};

struct past_world {
  explicit past_world(bool versioned = true, int list_page = 1000)
      : store([this] { return t.clock.wall; }, traits(list_page)) {
    store.create_bucket("b", versioned);
    store.create_bucket("s", true);
    archive::descriptor table{1, "T", "arn:aws:dynamodb:us-east-1:123456789012:table/T", "", "100", {{"id", 'S'}}};
    store.put("b", archive::descriptor_key(home), archive::write_descriptor(table), {});
  }
  static s3_traits traits(int list_page) {
    s3_traits wanted;
    wanted.list_page = list_page;
    return wanted;
  }

  test_run t;
  fake_s3 store;
  direct_network network{store};
  s3::client objects{network, object_store()};
  pipelines::run_context run = t.over(t.tables, objects);
  const s3_location home{"b", "p/"};

  void pass(std::chrono::milliseconds time) { t.clock.wall += time; }
  [[nodiscard]] std::chrono::sys_seconds second() const {
    return std::chrono::floor<std::chrono::seconds>(t.clock.wall);
  }
  [[nodiscard]] std::string now() const { return text::rfc3339(second()); }

  static std::string key(const std::string& id) {
    return "p/" + archive::object_name(R"({"id":{"S":")" + id + R"("}})");
  }
  static std::string line(const std::string& id, const std::string& value) {
    return R"({"Item":{"id":{"S":")" + id + R"("},"v":{"S":")" + value + R"("}}})";
  }
  /// As the recorder puts a change that is `lag` old.
  std::string put(const std::string& id, const std::string& value,
                  std::chrono::milliseconds lag = std::chrono::seconds{1}) {
    return store.put("b", key(id), line(id, value),
                     {{"source", "stream"}, {"changed-at", text::rfc3339(t.clock.wall - lag)}});
  }
  void remove(const std::string& id) { store.remove("b", key(id)); }

  /// A backfill that began and was closed just now; `change` makes it another.
  archive::run_record backfilled(const std::function<void(archive::run_record&)>& change = {}) {
    archive::run_record r;
    r.id = text::amz_date(t.clock.wall) + "-00000001";
    r.table_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/T";
    r.started = text::rfc3339(t.clock.wall - std::chrono::minutes{5});
    r.ended = now();
    r.finished = r.swept = r.changes_recorded = r.conditional_writes = true;
    r.stream_label = "2026-03-01T00:00:00.000";
    if (change) change(r);
    save(r);
    return r;
  }
  void save(const archive::run_record& r) {
    store.put("b", archive::run_key(home, r.id), archive::write_run_record(r), {});
  }
  void note_gap(const std::string& name, const std::string& from) {
    archive::gap gap;
    gap.stream = "arn";
    gap.from = from;
    gap.reason = "test";
    store.put("b", archive::gap_key(home, name), archive::write_gap(gap), {});
  }
  void lifecycle(const std::string& rules) {
    configure("lifecycle", "<LifecycleConfiguration>" + rules + "</LifecycleConfiguration>");
  }
  void versioning(const std::string& status) {
    configure("versioning", "<VersioningConfiguration><Status>" + status + "</Status></VersioningConfiguration>");
  }
  void configure(const std::string& what, const std::string& document) {
    request r;
    r.method = "PUT";
    r.target = "/b?" + what;
    r.body = document;
    REQUIRE(store.handle(r).status == 200);
  }

  snapshot_options options(moment at, bool accept = false) {
    return {.from = home,
            .to = {"s", "f/"},
            .name = "snap-" + std::to_string(++snapshots),
            .codec = compression::none,
            .at = at,
            .accept_incomplete = accept};
  }
  report take(snapshot_options what) { return run_task(pipelines::snapshot(run, std::move(what))); }
  report at(std::chrono::sys_seconds when, bool accept = false) { return take(options({when, {}}, accept)); }

  [[nodiscard]] std::set<std::string> lines() const {
    const std::string body = *store.versions("s", "f/snap-" + std::to_string(snapshots)).at(0).body;
    std::set<std::string> found;
    for (std::size_t begin = 0, end = 0; (end = body.find('\n', begin)) != std::string::npos; begin = end + 1)
      CHECK(found.insert(body.substr(begin, end - begin)).second);
    return found;
  }
  [[nodiscard]] archive::manifest manifest() const {
    return archive::read_manifest(
        *store.versions("s", "f/.dynabackup/snap-" + std::to_string(snapshots) + ".manifest.json").at(0).body);
  }
  /// Why it is refused; empty: it is not. A refusal leaves nothing, and where incomplete is accepted it is told.
  std::string refusal(std::chrono::sys_seconds when) {
    std::string why;
    try {
      at(when);
    } catch (const usage_error& e) {
      FAIL("exit code 2: " << e.what());
    } catch (const service_error& e) {
      FAIL("a service's error: " << e.what());
    } catch (const error& e) {
      why = e.what();
    }
    const std::string name = "f/snap-" + std::to_string(snapshots);
    CHECK(store.versions("s", name).empty() == !why.empty());
    const report told = at(when, true);
    CHECK(told.not_covered.empty() == why.empty());
    const std::string start = "cannot be told for sure: ";
    const std::size_t begin = why.find(start), end = why.find(". With --accept-incomplete");
    if (!why.empty()) CHECK(told.not_covered.starts_with(why.substr(begin + start.size(), end - begin - start.size())));
    CHECK(manifest().covered == why.empty());
    return why;
  }

  int snapshots = 0;
};

inline bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace dynabackup::fakes
