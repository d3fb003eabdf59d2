#include "pipelines/item_versions.hpp"

#include <doctest/doctest.h>
#include <functional>
#include <map>
#include <string>

#include "archive/descriptor.hpp"
#include "archive/object_name.hpp"
#include "archive/run_record.hpp"
#include "crypto/sha256.hpp"
#include "dynabackup/error.hpp"
#include "fakes/aws/fake_s3.hpp"
#include "fakes/test_run.hpp"
#include "text/timestamps.hpp"

using namespace dynabackup;
using namespace std::chrono_literals;
using by = item_version::origin;

namespace {

class store_network final : public transport {
 public:
  explicit store_network(fakes::fake_s3& store) : store_(store) {}
  task<response> send(request& r) override {
    ++requests;
    response answer = store_.handle(r);
    answer.body.reserve(answer.body.size() + response::body_padding);
    co_return answer;
  }
  int requests = 0;

 private:
  fakes::fake_s3& store_;
};

struct listener final : item_listener {
  void subject(const item_subject& which) override { subjects.push_back(which); }
  void version(const item_version& one) override { versions.push_back(one); }
  std::vector<item_subject> subjects;
  std::vector<item_version> versions;
};

/// A backup of table `users` with key `id`, whose first backfill ended at 11:30; the clock stands at 11:45:03.
struct item_world {
  fakes::test_run base;
  fakes::fake_s3 store;
  store_network network{store};
  s3::client objects{network, fakes::object_store()};
  listener told;
  const s3_location home{"b", "p/"};
  const std::string object = "p/" + archive::object_name(R"({"id":{"S":"x"}})");

  explicit item_world(bool versioned = true, fakes::s3_traits traits = {})
      : store([this] { return base.clock.wall; }, std::move(traits)) {
    at("2026-11-22T11:45:03Z");
    store.create_bucket("b", versioned);
  }

  void describe() {
    archive::descriptor d;
    d.table = "users";
    d.arn = "arn:aws:dynamodb:us-east-1:123456789012:table/users";
    d.created = "100";
    d.key = {{"id", 'S'}};
    store.put("b", archive::descriptor_key(home), archive::write_descriptor(d), {});
  }
  void backfilled() {
    archive::run_record r;
    r.id = "20261122T112000Z-00000001";
    r.table_arn = "arn:aws:dynamodb:us-east-1:123456789012:table/users";
    r.started = "2026-11-22T11:20:00Z";
    r.ended = "2026-11-22T11:30:00Z";
    r.finished = r.swept = r.changes_recorded = true;
    r.stream_label = "label";
    store.put("b", archive::run_key(home, r.id), archive::write_run_record(r), {});
  }
  static item_world& covered(item_world& w) {
    w.describe();
    w.backfilled();
    return w;
  }

  std::string put(const std::string& attributes, std::map<std::string, std::string> meta) {
    const std::string body = R"({"Item":{"id":{"S":"x"})" + attributes + "}}";
    meta["md5"] = crypto::md5_hex(body);
    return store.put("b", object, body, std::move(meta));
  }
  std::string streamed(const std::string& attributes, const std::string& sequence) {
    return put(attributes, {{"source", "stream"},
                            {"stream", "label"},
                            {"sequence-number", sequence},
                            {"changed-at", "2026-11-22T11:44:00.123Z"}});
  }
  void remove() { store.remove("b", object); }
  void at(const char* time) { base.clock.wall = *text::parse_rfc3339(time); }
  void suspend() { versioning("Suspended"); }
  void enable() { versioning("Enabled"); }
  void versioning(const std::string& status) {
    request r;
    r.method = "PUT";
    r.target = "/b?versioning";
    r.body = "<VersioningConfiguration><Status>" + status + "</Status></VersioningConfiguration>";
    REQUIRE(store.handle(r).status == 200);
  }

  pipelines::run_context context() {
    pipelines::run_context run = base.over(base.tables, objects);
    run.memory_bytes = memory;
    return run;
  }
  report history(std::vector<std::string> key = {"id=x"}) {
    pipelines::run_context run = context();
    return fakes::run_task(pipelines::history(run, {{.from = home, .key = std::move(key), .at = {}}, told}));
  }
  report show(const std::string& moment = {}) {
    pipelines::run_context run = context();
    return fakes::run_task(pipelines::show(run, {{.from = home, .key = {"id=x"}, .at = parse_moment(moment)}, told}));
  }
  std::string refusal(const std::function<void()>& act) {
    try {
      act();
    } catch (const usage_error& e) {
      return e.what();
    }
    return "done";
  }

  std::size_t memory = std::size_t{1} << 20;
};

std::string changed(const item_version& v) {
  if (!v.changes) return "not compared";
  std::string out;
  for (const item_change& c : *v.changes) {
    const char sign = c.what == item_change::kind::added ? '+' : c.what == item_change::kind::removed ? '-' : '~';
    out += (out.empty() ? "" : " ") + std::string(1, sign) + c.name.substr(1, c.name.size() - 2);
  }
  return out;
}

bool says(const std::string& text, const char* word) { return text.find(word) != std::string::npos; }

}  // namespace

TEST_CASE("history tells every version, newest first, by what it came and how it differs from the one before") {
  item_world w;
  item_world::covered(w);
  w.at("2026-11-22T11:25:00Z");
  w.put(R"(,"name":{"S":"Ann"})", {{"source", "backfill"}, {"run", "run-1"}});
  w.at("2026-11-22T11:35:00Z");
  const std::string second = w.streamed(R"(,"age":{"N":"5"},"name":{"S":"Anna"})", "100");
  w.at("2026-11-22T11:36:00Z");
  w.remove();
  w.at("2026-11-22T11:37:00Z");
  w.put("", {});
  const report done = w.history();
  CHECK(done.whole());
  CHECK(done.items_read == 3);  // one of the four is a deletion
  REQUIRE(w.told.subjects.size() == 1);
  CHECK(w.told.subjects[0].table == "users");
  CHECK(w.told.subjects[0].key == R"({"id":{"S":"x"}})");
  CHECK(w.told.subjects[0].object == "s3://b/" + w.object);
  const auto& v = w.told.versions;
  REQUIRE(v.size() == 4);
  CHECK(v[0].by == by::unknown);
  CHECK(v[0].current);
  CHECK(changed(v[0]) == "+id");
  CHECK(v[1].by == by::deletion);
  CHECK(v[1].arrived == "2026-11-22T11:36:00Z");
  CHECK(v[1].item.empty());
  CHECK(changed(v[1]) == "-age -id -name");
  CHECK(v[2].by == by::stream);
  CHECK(v[2].version_id == second);
  CHECK(v[2].sequence_number == "100");
  CHECK(v[2].stream == "label");
  CHECK(v[2].changed_at == "2026-11-22T11:44:00.123Z");
  CHECK(v[2].item == R"({"age":{"N":"5"},"id":{"S":"x"},"name":{"S":"Anna"}})");
  CHECK(changed(v[2]) == "+age ~name");
  CHECK_FALSE(v[2].oldest);
  CHECK(v[3].by == by::backfill);
  CHECK(v[3].run == "run-1");
  CHECK(v[3].oldest);
  CHECK(changed(v[3]) == "+id +name");
}

TEST_CASE("history goes through all pages and batches, in order, and takes only the object of that name") {
  fakes::s3_traits traits;
  traits.list_page = 3;
  item_world w(true, traits);
  item_world::covered(w);
  for (int i = 0; i < 20; ++i) w.streamed(R"(,"n":{"N":")" + std::to_string(i) + "\"}", std::to_string(i));
  w.store.put("b", w.object + "x", "another tool's", {});
  w.memory = 1000;  // a batch holds a few
  CHECK(w.history().whole());
  REQUIRE(w.told.versions.size() == 20);
  for (std::size_t i = 0; i < 20; ++i) CHECK(w.told.versions[i].sequence_number == std::to_string(19 - i));
  for (std::size_t i = 0; i < 19; ++i) CHECK(changed(w.told.versions[i]) == "~n");
}

TEST_CASE("a version that cannot be read is named, not compared, and the run is not whole") {
  item_world w;
  item_world::covered(w);
  w.streamed("", "1");
  w.store.put("b", w.object, R"({"Item":{"id":{"S":"x"}}})", {{"source", "stream"}, {"md5", "0"}});
  w.streamed("", "2");
  w.store.put("b", w.object, R"({"Item":{"id":{"S":"sesame"}}})", {});
  w.store.put("b", w.object, R"({"Item":{"id":{"S":"x"},"a":"sesame"}})", {});
  w.store.put("b", w.object, "hello, sesame!", {});
  w.store.put("b", w.object, "", {});
  const report done = w.history();
  CHECK_FALSE(done.whole());
  CHECK(done.objects_skipped == 5);
  const auto& v = w.told.versions;
  REQUIRE(v.size() == 7);
  CHECK(says(v[0].problem, "no item has its size"));
  CHECK(says(v[1].problem, "not an item object"));
  CHECK(says(v[2].problem, "does not hold an item"));
  CHECK(says(v[3].problem, "another key"));
  CHECK(v[4].problem.empty());
  CHECK(changed(v[4]) == "not compared");
  CHECK(says(v[5].problem, "damaged"));
  CHECK(changed(v[5]) == "not compared");
  CHECK(changed(v[6]) == "+id");
  for (const finding& f : done.findings) {
    CHECK(says(f.object, w.object.c_str()));
    CHECK_FALSE(says(f.detail, "sesame"));
  }
  CHECK_THROWS_WITH_AS(w.show(), doctest::Contains("cannot be shown"), format_error);
}

TEST_CASE("a body in a foreign spelling is compared by its values") {
  item_world w;
  item_world::covered(w);
  w.streamed(R"(,"n":{"N":"100"},"s":{"NS":["1","2"]})", "1");
  w.store.put("b", w.object, R"({"Item":{ "s":{"NS":["2.0","1"]}, "n":{"N":"1E2"}, "id":{"S":"x"} }})", {});
  CHECK(w.history().whole());
  REQUIRE(w.told.versions.size() == 2);
  CHECK(w.told.versions[0].problem.empty());
  CHECK(changed(w.told.versions[0]).empty());
}

TEST_CASE("a key that never was is an answer") {
  item_world w;
  item_world::covered(w);
  CHECK(w.history().whole());
  CHECK(w.show().whole());
  CHECK(w.told.subjects.size() == 2);
  CHECK(w.told.versions.empty());
}

TEST_CASE("show takes the newest version that had arrived at that second") {
  item_world w;
  item_world::covered(w);
  w.at("2026-11-22T11:31:00Z");
  w.streamed(R"(,"n":{"N":"1"})", "1");
  w.at("2026-11-22T11:32:00.400Z");
  w.streamed(R"(,"n":{"N":"2"})", "2");
  w.at("2026-11-22T11:32:00.900Z");
  w.streamed(R"(,"n":{"N":"3"})", "3");
  w.at("2026-11-22T11:33:00Z");
  w.remove();
  w.at("2026-11-22T11:34:00Z");
  w.streamed(R"(,"n":{"N":"4"})", "4");
  w.at("2026-11-22T11:45:03Z");
  const auto shown = [&w](const std::string& moment) {
    w.told.versions.clear();
    CHECK(w.show(moment).whole());
    if (w.told.versions.empty()) return std::string("nothing");
    const item_version& v = w.told.versions.at(0);
    CHECK_FALSE(v.changes);
    return v.item.empty() ? std::string("deleted") : v.sequence_number;
  };
  CHECK(shown("") == "4");
  CHECK(shown("-0s") == "4");
  CHECK(shown("-12m") == "deleted");
  CHECK(shown("-13m") == "3");
  CHECK(shown("2026-11-22T11:34:00Z") == "4");
  CHECK(shown("2026-11-22T11:33:59.999Z") == "deleted");
  CHECK(shown("2026-11-22T11:32:00Z") == "3");
  CHECK(shown("2026-11-22T11:31:59.999Z") == "1");
  CHECK(shown("2026-11-22T11:30:59Z") == "nothing");
  CHECK(w.told.subjects.back().at == "2026-11-22T11:30:59Z");
}

TEST_CASE("a moment that lies ahead of the bucket's clock is refused") {
  item_world w;
  item_world::covered(w);
  CHECK(says(w.refusal([&] { w.show("2026-11-22T11:45:04Z"); }), "ahead"));
  CHECK(w.told.subjects.empty());
}

TEST_CASE("a moment before the first backfill had ended is not covered") {
  item_world w;
  item_world::covered(w);
  CHECK(says(w.show("2026-11-22T11:29:59Z").not_covered, "2026-11-22T11:30:00Z"));
  CHECK(w.show("2026-11-22T11:30:00Z").not_covered.empty());
}

TEST_CASE("a version without an id may have taken the place of others") {
  item_world w;
  item_world::covered(w);
  w.at("2026-11-22T11:31:00Z");
  w.streamed(R"(,"n":{"N":"1"})", "1");
  w.suspend();
  w.at("2026-11-22T11:32:00Z");
  w.streamed(R"(,"n":{"N":"2"})", "2");
  w.at("2026-11-22T11:34:00Z");
  w.streamed(R"(,"n":{"N":"3"})", "3");
  w.enable();
  w.at("2026-11-22T11:45:03Z");
  CHECK(says(w.show("2026-11-22T11:33:00Z").not_covered, "may have taken the place of others"));
  CHECK(says(w.history().not_covered, "may have taken the place of others"));
  CHECK(w.show().whole());
}

TEST_CASE("what is missing in the backup is told of one item too") {
  item_world w;
  w.describe();
  w.streamed("", "1");
  CHECK(says(w.history().not_covered, "no finished backfill"));
  CHECK(w.told.versions.size() == 1);
}

TEST_CASE("without versions there is no history, but the current item") {
  item_world w(false);
  item_world::covered(w);
  w.put("", {{"source", "backfill"}});
  CHECK(says(w.refusal([&] { w.history(); }), "not versioned"));
  CHECK(says(w.refusal([&] { w.show("-1h"); }), "not versioned"));
  CHECK(w.show().whole());
  REQUIRE(w.told.versions.size() == 1);
  CHECK(w.told.versions[0].item == R"({"id":{"S":"x"}})");
}

TEST_CASE("where versioning is suspended the versions from before are told, and that there may be more to tell") {
  item_world w;
  item_world::covered(w);
  w.streamed("", "1");
  w.suspend();
  w.streamed(R"(,"n":{"N":"1"})", "2");
  CHECK(says(w.history().not_covered, "suspended"));
  CHECK(w.told.versions.size() == 2);
}

TEST_CASE("a prefix that is no backup, and a key that is none of the table's, are refused") {
  item_world w;
  CHECK(says(w.refusal([&] { w.history(); }), "holds no backup"));
  item_world::covered(w);
  const std::string said = w.refusal([&] { w.history({"id=sesame", "other=sesame"}); });
  CHECK(says(said, "id (S)"));
  CHECK(says(said, "users"));
  CHECK_FALSE(says(said, "sesame"));
}

TEST_CASE("what the listener throws ends the run") {
  struct full_disk final : item_listener {
    void subject(const item_subject&) override {}
    void version(const item_version&) override { throw error("full"); }
  } listener;
  item_world w;
  item_world::covered(w);
  w.streamed("", "1");
  pipelines::run_context run = w.context();
  CHECK_THROWS_WITH_AS(
      fakes::run_task(pipelines::history(run, {{.from = w.home, .key = {"id=x"}, .at = {}}, listener})), "full", error);
}

TEST_CASE("an interrupted history stops") {
  item_world w;
  item_world::covered(w);
  w.streamed("", "1");
  w.base.stop.requested = true;
  CHECK_THROWS_AS(w.history(), interrupted);
}
