#include "pipelines/past_coverage.hpp"

#include "unit/pipelines/past_world.hpp"

using namespace dynabackup;
using namespace dynabackup::fakes;
using namespace std::chrono_literals;

namespace {

std::string rule(const std::string& inside, const std::string& status = "Enabled") {
  return "<Rule><ID>r1</ID><Status>" + status + "</Status>" + inside + "</Rule>";
}
std::string noncurrent(int days) {
  return "<NoncurrentVersionExpiration><NoncurrentDays>" + std::to_string(days) +
         "</NoncurrentDays></NoncurrentVersionExpiration>";
}

/// One item, a backfill, and an hour since.
struct quiet_world : past_world {
  explicit quiet_world(bool versioned = true) : past_world(versioned) {
    put("a", "1");
    backfilled();
    then = second();
    pass(1h);
  }
  std::chrono::sys_seconds then;
};

}  // namespace

TEST_CASE("a moment before the first finished backfill is refused, and it is told when that was") {
  quiet_world w;
  CHECK(w.refusal(w.then) == "");
  const std::string why = w.refusal(w.then - 1s);
  CHECK(has(why, "no backfill had been finished by then: the earliest that is known ended " + text::rfc3339(w.then)));
  CHECK(has(why, "--accept-incomplete"));
  CHECK(w.lines().empty());
}

TEST_CASE("an unversioned bucket and a suspended one are refused") {
  quiet_world never(false);
  CHECK(has(never.refusal(never.then), "bucket b is not versioned"));
  quiet_world w;
  w.versioning("Suspended");
  CHECK(has(w.refusal(w.then), "suspended"));
}

TEST_CASE("versioning that was switched on after the backfill that counts proves nothing") {
  quiet_world w(false);
  w.versioning("Enabled");
  CHECK(has(w.refusal(w.then), "was not versioned when backfill run"));
  w.backfilled();
  const auto later = w.second();
  w.pass(1h);
  CHECK(w.refusal(later) == "");
}

TEST_CASE("a moment while a backfill was under way is refused, before and behind it not") {
  past_world w;
  w.put("a", "1");
  w.backfilled();
  w.pass(1h);
  const auto before = w.second();
  w.pass(10s);
  archive::run_record second = w.backfilled([](archive::run_record& r) { r.ended = "", r.finished = r.swept = false; });
  const auto begun = w.second();
  w.pass(10min);
  const auto open = w.second();
  w.pass(1h);
  CHECK(w.refusal(before) == "");
  CHECK(has(w.refusal(begun), second.id + " was under way or left open, and still is"));
  CHECK(has(w.refusal(open), second.id));
  second.ended = w.now();
  second.swept = true;
  w.save(second);
  const auto closed = w.second();
  w.pass(1h);
  CHECK(w.refusal(before) == "");
  CHECK(has(w.refusal(begun), "open until " + second.ended));
  CHECK(has(w.refusal(closed - 1s), second.id));
  CHECK(w.refusal(closed) == "");
}

TEST_CASE("the newest backfill that was finished by then speaks for the moment") {
  past_world w;
  w.put("a", "1");
  w.backfilled([](archive::run_record& r) { r.differing = 2; });
  const auto differing = w.second();
  w.pass(1h);
  w.backfilled([](archive::run_record& r) { r.finished = false; });
  const auto given_up = w.second();
  w.pass(1h);
  w.backfilled();
  const auto good = w.second();
  w.pass(1h);
  w.backfilled([](archive::run_record& r) { r.changes_recorded = false; });
  const auto switched = w.second();
  w.pass(1h);
  CHECK(has(w.refusal(differing), "left 2 objects alone"));
  CHECK(has(w.refusal(given_up), "left 2 objects alone"));
  CHECK(w.refusal(good) == "");
  CHECK(w.refusal(switched - 1s) == "");
  CHECK(has(w.refusal(switched), "the table's stream was switched"));
}

TEST_CASE("many later backfills do not hide the one that counts") {
  quiet_world w;
  for (int i = 0; i < 60; ++i) {
    w.pass(1h);
    w.backfilled([](archive::run_record& r) { r.differing = 1; });
  }
  w.pass(1h);
  CHECK(w.refusal(w.then) == "");
}

TEST_CASE("a backup of a table without a stream warns, and is refused where it holds more than the table had") {
  past_world w;
  w.put("a", "1");
  const auto one_off = [](archive::run_record& r) {
    r.changes_recorded = false;
    r.stream_label = "";
    r.items = 1;
  };
  w.backfilled(one_off);
  const auto then = w.second();
  w.pass(1h);
  w.put("b", "1");
  w.pass(1h);
  CHECK(w.refusal(then) == "");
  CHECK(w.at(then).warnings.size() == 1);
  CHECK(has(w.refusal(then + 90min), "the backup holds 2 items, the table had 1"));
}

TEST_CASE("a gap closes the time from its beginning to its removal") {
  quiet_world w;
  const auto begins = w.second();
  w.pass(1h);
  w.note_gap("g", text::rfc3339(begins));
  const auto noted = w.second();
  w.pass(1h);
  CHECK(w.refusal(begins - 1s) == "");
  CHECK(has(w.refusal(begins), "gaps/g.json"));
  CHECK(has(w.refusal(noted + 1min), "gaps/g.json"));
  w.store.remove("b", archive::gap_key(w.home, "g"));
  const auto removed = w.second();
  w.pass(1h);
  CHECK(w.refusal(begins - 1s) == "");
  CHECK(has(w.refusal(begins), "gaps/g.json"));
  CHECK(has(w.refusal(removed - 1s), "gaps/g.json"));
  CHECK(w.refusal(removed) == "");
}

TEST_CASE("a gap that does not know when it begins closes everything before its removal") {
  quiet_world w;
  w.note_gap("g", "");
  CHECK(has(w.refusal(w.then), "gaps/g.json"));
}

TEST_CASE("a dead letter alone closes the time from its arrival on") {
  quiet_world w;
  w.store.put("b", archive::dead_letter_key(w.home, "d"), "{}", {});
  w.pass(1h);
  CHECK(w.refusal(w.then) == "");
  CHECK(has(w.refusal(w.then + 1h), "dead-letter/d.json"));
}

TEST_CASE("rules that remove old versions reach as far as their days") {
  quiet_world w;
  w.pass(49h);  // 50 hours
  w.lifecycle(rule("<Filter><Prefix>p/</Prefix></Filter>" + noncurrent(3)));
  CHECK(w.refusal(w.then) == "");
  w.lifecycle(rule("<Filter><Prefix>p/</Prefix></Filter>" + noncurrent(2)));
  CHECK(has(w.refusal(w.then), "lifecycle rule 'r1' of bucket b removes versions 2 days after they were replaced"));
  for (const char* about :
       {"<Prefix></Prefix>", "<Filter></Filter>", "<Filter><Prefix>p/a</Prefix></Filter>",
        "<Filter><And><Prefix>p</Prefix><ObjectSizeLessThan>9</ObjectSizeLessThan></And></Filter>"}) {
    w.lifecycle(rule(about + noncurrent(2)));
    CHECK(has(w.refusal(w.then), "r1"));
  }
  for (const char* about : {"<Prefix>q/</Prefix>", "<Filter><Prefix>p/x</Prefix></Filter>",
                            "<Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter>",
                            "<Filter><Prefix>p/.dynabackup/recorder.json</Prefix></Filter>"}) {
    w.lifecycle(rule(about + noncurrent(2)));
    CHECK(w.refusal(w.then) == "");
  }
  w.lifecycle(rule("<Prefix></Prefix>" + noncurrent(2), "Disabled"));
  CHECK(w.refusal(w.then) == "");
}

TEST_CASE("rules for the records by which coverage is told count like those for items") {
  quiet_world w;
  w.pass(49h);
  for (const char* about : {"p/.dynabackup/", "p/.dyna", "p/.dynabackup/gaps/", "p/.dynabackup/runs/2026"}) {
    const std::string filter = "<Filter><Prefix>" + std::string(about) + "</Prefix></Filter>";
    w.lifecycle(rule(filter + noncurrent(2)));
    CHECK(has(w.refusal(w.then), "removes versions 2 days after"));
    w.lifecycle(rule(filter + noncurrent(3)));
    CHECK(w.refusal(w.then) == "");
    w.lifecycle(rule(filter + "<Expiration><Days>30</Days></Expiration>"));
    CHECK(has(w.refusal(w.then), "gaps and open runs vanish"));
  }
  w.lifecycle(rule("<Filter><Prefix>p/.dynabackup/checkpoints/</Prefix></Filter>" + noncurrent(1)));
  CHECK(w.refusal(w.then) == "");
}

TEST_CASE("what may have been archived cannot be read") {
  quiet_world w;
  w.pass(49h);
  const auto moved = [](int days) {
    return rule("<Prefix></Prefix><NoncurrentVersionTransition><NoncurrentDays>" + std::to_string(days) +
                "</NoncurrentDays><StorageClass>DEEP_ARCHIVE</StorageClass></NoncurrentVersionTransition>");
  };
  w.lifecycle(moved(2));
  CHECK(has(w.refusal(w.then), "archive class"));
  w.lifecycle(moved(3));
  CHECK(w.refusal(w.then) == "");
}

TEST_CASE("rules that expire current objects are refused, those for lonely markers are not") {
  quiet_world w;
  w.lifecycle(rule("<Prefix></Prefix><Expiration><Days>3650</Days></Expiration>"));
  CHECK(has(w.refusal(w.then), "expires current objects"));
  w.lifecycle(rule("<Prefix></Prefix><Expiration><Date>2030-01-01T00:00:00Z</Date></Expiration>"));
  CHECK(has(w.refusal(w.then), "expires current objects"));
  w.lifecycle(
      rule("<Prefix></Prefix><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"));
  CHECK(w.refusal(w.then) == "");
}

TEST_CASE("every reason is told at once") {
  quiet_world w;
  w.pass(50h);
  w.lifecycle(rule("<Prefix></Prefix>" + noncurrent(1)));
  w.note_gap("g", "");
  const std::string why = w.refusal(w.then - 1h);
  CHECK(has(why, "no backfill had been finished"));
  CHECK(has(why, "gaps/g.json"));
  CHECK(has(why, "r1"));
}
