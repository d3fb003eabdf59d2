#include "aws/retrying_transport.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>
#include <string>

#include "dynabackup/error.hpp"
#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"

using namespace dynabackup;
using namespace dynabackup::aws;
using namespace std::chrono_literals;

namespace {

constexpr const char* throttled_body = R"({"__type":"a#ProvisionedThroughputExceededException"})";

struct setup {
  fakes::scripted_transport network;
  fakes::fake_clock clock;
  runtime::semaphore permits{4};
  progress seen;
  retry_policy policy;
  retrying_transport transport;
  request r;

  explicit setup(retry_policy p = {}, failure_reader reader = read_json_failure)
      : policy(p), transport(network, clock, permits, reader, p, 42) {
    transport.count_into(&seen);
    r.method = "POST";
    r.to = {true, "example.test", 443};
  }
  response send() { return fakes::run_task(transport.send(r)); }
  void fail_once(bool retryable = true, transport_error::stage where = transport_error::stage::after_send) {
    transport_error e("https://example.test:443", where, "connection reset");
    e.retryable = retryable;
    network.expect_failure(nullptr, std::make_exception_ptr(e));
  }
  std::string failure() {
    try {
      send();
    } catch (const transport_error& e) {
      return e.what();
    }
    return "(no error)";
  }
};

std::string sent(const request& r, std::string_view name) {
  std::string found;
  for (const auto& h : r.headers) {
    if (h.name != name) continue;
    CHECK(found.empty());
    found = h.value;
  }
  return found;
}

}  // namespace

TEST_CASE("a success at the first try passes through") {
  setup s;
  s.network.expect([](const request& r) { CHECK(sent(r, "amz-sdk-request") == "attempt=1; max=10"); }, 200, "body");
  const auto answer = s.send();
  CHECK(answer.status == 200);
  CHECK(answer.body == "body");
  CHECK(answer.header_value("x-dynabackup-attempts") == "1");
  CHECK(s.clock.sleeps.empty());
  CHECK(s.seen.requests == 1);
  CHECK(s.seen.retries == 0);
  CHECK(s.seen.throttles == 0);
  CHECK(s.seen.in_flight == 0);
  CHECK(s.seen.peak_in_flight == 1);
  CHECK(s.permits.in_use() == 0);
}

TEST_CASE("attempts share an invocation id and are numbered; requests do not share it") {
  setup s;
  std::string first;
  s.network.expect([&](const request& r) { first = sent(r, "amz-sdk-invocation-id"); }, 500, "");
  s.network.expect(
      [&](const request& r) {
        CHECK(sent(r, "amz-sdk-invocation-id") == first);
        CHECK(sent(r, "amz-sdk-request") == "attempt=2; max=10");
      },
      200, "");
  s.network.expect([&](const request& r) { CHECK(sent(r, "amz-sdk-invocation-id") != first); }, 200, "");
  CHECK(s.send().header_value("x-dynabackup-attempts") == "2");
  s.send();
  REQUIRE(first.size() == 36);
  for (const std::size_t dash : {8, 13, 18, 23}) CHECK(first[dash] == '-');
  CHECK(first[14] == '4');
}

TEST_CASE("what is tried again, and what is not") {
  struct row {
    const char* what;
    int status;
    std::string body;
    bool again;
    bool throttled;
  };
  const row rows[] = {
      {"an internal error", 500, R"({"__type":"a#InternalServerError"})", true, false},
      {"a bare 503", 503, "", true, false},
      {"HTML from a proxy", 502, "<html>", true, false},
      {"throttling", 400, throttled_body, true, true},
      {"too many requests", 429, "", true, true},
      {"a wrong request", 400, R"({"__type":"a#ValidationException"})", false, false},
      {"expired credentials", 400, R"({"__type":"a#ExpiredTokenException"})", false, false},
      {"not found", 404, "", false, false},
      {"a failed condition", 412, "", false, false},
      {"not modified", 304, "", false, false},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    setup s;
    s.network.expect(nullptr, row.status, row.body);
    if (row.again) s.network.expect(nullptr, 200, "done");
    const auto answer = s.send();
    CHECK(answer.status == (row.again ? 200 : row.status));
    CHECK(answer.body == (row.again ? "done" : row.body));
    CHECK(s.seen.requests == (row.again ? 2 : 1));
    CHECK(s.seen.retries == (row.again ? 1 : 0));
    CHECK(s.seen.throttles == (row.throttled ? 1 : 0));
    CHECK(s.transport.shared_pace().on() == row.throttled);
  }
}

TEST_CASE("S3 errors are read by S3's reader") {
  setup s({}, read_xml_failure);
  s.r.method = "PUT";
  s.network.expect(nullptr, 503, "<Error><Code>SlowDown</Code></Error>");
  s.network.expect(nullptr, 400, "<Error><Code>RequestTimeout</Code></Error>");
  s.network.expect(nullptr, 409, "<Error><Code>ConditionalRequestConflict</Code></Error>");
  s.network.expect(nullptr, 200, "");
  CHECK(s.send().header_value("x-dynabackup-attempts") == "4");
  CHECK(s.seen.throttles == 1);
}

TEST_CASE("a conflict at the end of a multipart upload is final: its parts cannot be used again") {
  setup s({}, read_xml_failure);
  s.r.method = "POST";
  for (const int status : {409, 200}) {
    s.network.expect(nullptr, status, "<Error><Code>ConditionalRequestConflict</Code></Error>");
    const auto answer = s.send();
    CHECK(answer.status == status);
    CHECK(answer.header_value("x-dynabackup-attempts") == "1");
  }
}

TEST_CASE("an error that comes as a 200 to a POST is judged by its code") {
  setup s({}, read_xml_failure);
  s.network.expect(nullptr, 200, "<?xml version=\"1.0\"?>\n<Error><Code>InternalError</Code></Error>");
  s.network.expect(nullptr, 200, " <Error><Code>EntityTooSmall</Code></Error>");
  CHECK(s.send().body == " <Error><Code>EntityTooSmall</Code></Error>");
  s.network.expect(nullptr, 200, "<DeleteResult><Error><Code>InternalError</Code></Error></DeleteResult>");
  CHECK(s.send().header_value("x-dynabackup-attempts") == "1");
  s.r.method = "GET";
  s.network.expect(nullptr, 200, "<Error><Code>InternalError</Code></Error>");
  CHECK(s.send().header_value("x-dynabackup-attempts") == "1");
}

TEST_CASE("the last answer is returned when the attempts are used up") {
  setup s({.max_attempts = 3});
  for (int i = 0; i < 3; ++i) s.network.expect(nullptr, 500, "oops" + std::to_string(i));
  const auto answer = s.send();
  CHECK(answer.status == 500);
  CHECK(answer.body == "oops2");
  CHECK(read_json_failure(answer).attempts == 3);
  CHECK(s.clock.sleeps.size() == 2);
}

TEST_CASE("a throttled request is tried to the last attempt, whatever the quota") {
  setup s({.max_attempts = 100});
  for (int i = 0; i < 99; ++i) s.network.expect(nullptr, 400, throttled_body);
  s.network.expect(nullptr, 200, "");
  CHECK(s.send().header_value("x-dynabackup-attempts") == "100");
  CHECK(s.seen.throttles == 99);
}

TEST_CASE("requests that the service refuses in the end do not use up the quota") {
  setup s;
  for (int i = 0; i < 500; ++i) {
    s.network.expect(nullptr, 503, "");
    s.network.expect(nullptr, 400, R"({"__type":"com.amazon.coral.validate#ValidationException"})");
    REQUIRE(s.send().status == 400);
  }
}

TEST_CASE("what was sent twice over a stale connection stays unsettled, whatever the answer") {
  setup s;
  const auto sent_twice = [](int status, std::string body) {
    response answer;
    answer.status = status;
    answer.body = std::move(body);
    answer.unsettled = true;
    return answer;
  };
  s.network.expect_answer(nullptr, sent_twice(200, ""));
  CHECK(s.send().unsettled);
  s.network.expect_answer(nullptr, sent_twice(400, throttled_body));
  s.network.expect(nullptr, 200, "");
  CHECK(s.send().unsettled);
  s.network.expect(nullptr, 400, throttled_body);
  s.network.expect(nullptr, 200, "");
  CHECK_FALSE(s.send().unsettled);
}

TEST_CASE("one attempt means no retry") {
  for (const int most : {1, 0, -5}) {
    setup s({.max_attempts = most});
    s.network.expect([](const request& r) { CHECK(sent(r, "amz-sdk-request") == "attempt=1; max=1"); }, 500, "");
    CHECK(s.send().status == 500);
  }
}

TEST_CASE("the server cannot forge the number of attempts") {
  setup s;
  s.network.expect(nullptr, 404, "", {{"X-Dynabackup-Attempts", "99"}, {"x-dynabackup-attempts", "98"}});
  CHECK(read_json_failure(s.send()).attempts == 1);
}

TEST_CASE("no answer is tried again, and told with the number of attempts in the end") {
  setup s({.max_attempts = 3});
  s.fail_once();
  s.fail_once();
  s.network.expect(nullptr, 200, "");
  CHECK(s.send().status == 200);
  for (int i = 0; i < 3; ++i) s.fail_once();
  CHECK(s.failure() == "https://example.test:443: connection reset (after 3 attempts)");
  CHECK(s.seen.requests == 6);
  CHECK(s.seen.in_flight == 0);
  CHECK(s.permits.in_use() == 0);
}

TEST_CASE("the last failure keeps its facts") {
  setup s({.max_attempts = 2});
  s.fail_once(true, transport_error::stage::after_send);
  s.fail_once(true, transport_error::stage::before_send);
  try {
    s.send();
    FAIL("nothing was thrown");
  } catch (const transport_error& e) {
    CHECK(e.endpoint == "https://example.test:443");
    CHECK(e.where == transport_error::stage::before_send);
    CHECK(e.retryable);
  }
}

TEST_CASE("a failure that no retry mends is thrown at once, as it is") {
  setup s;
  s.fail_once(false);
  CHECK(s.failure() == "https://example.test:443: connection reset");
  CHECK(s.clock.sleeps.empty());
}

TEST_CASE("a body that does not match x-amz-crc32 counts as no answer") {
  setup s({.max_attempts = 2});
  s.network.expect(nullptr, 200, "123456780", {{"x-amz-crc32", "3421780262"}});
  s.network.expect(nullptr, 200, "123456789", {{"x-amz-crc32", "3421780262"}});
  CHECK(s.send().body == "123456789");
  s.network.expect(nullptr, 200, "a", {{"x-amz-crc32", "1"}});
  s.network.expect(nullptr, 200, "a", {{"x-amz-crc32", "1"}});
  CHECK(s.failure() == "https://example.test:443: the answer does not match its x-amz-crc32 (after 2 attempts)");
  s.network.expect(nullptr, 200, "a", {{"x-amz-crc32", "none"}});
  CHECK(s.send().status == 200);
}

TEST_CASE("backoff: full jitter from the seed, longer for throttling, moved by the server's hint") {
  setup s({.max_attempts = 4, .transient_base = 1'000ms});
  for (int i = 0; i < 3; ++i) s.network.expect(nullptr, 500, "");
  s.network.expect(nullptr, 200, "");
  s.send();
  REQUIRE(s.clock.sleeps.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(s.clock.sleeps[static_cast<std::size_t>(i)] < 1'000ms * (1 << i));
  CHECK(s.clock.slept() > 0ms);

  setup hinted({.max_attempts = 3, .transient_base = 0ms});
  hinted.network.expect(nullptr, 500, "", {{"x-amz-retry-after", "1234"}});
  hinted.network.expect(nullptr, 500, "", {{"x-amz-retry-after", "12.5"}});
  hinted.network.expect(nullptr, 200, "");
  hinted.send();
  CHECK(hinted.clock.sleeps == std::vector<std::chrono::milliseconds>{1'234ms, 0ms});
}

TEST_CASE("after a throttle the pace holds back the next requests") {
  setup s({.max_attempts = 2, .throttle_base = 0ms});
  s.network.expect(nullptr, 400, throttled_body);
  for (int i = 0; i < 4; ++i) s.network.expect(nullptr, 200, "");
  for (int i = 0; i < 4; ++i) s.send();
  CHECK(s.transport.shared_pace().on());
  CHECK(s.clock.slept() > 1s);
}

TEST_CASE("the quota ends the retries of a service that stays sick, and successes refill it") {
  setup s({.max_attempts = 10});
  for (int i = 0; i < 41; ++i) s.fail_once();
  // 504 tokens for four permits: 36 retries.
  for (int i = 0; i < 4; ++i) CHECK(s.failure() == "https://example.test:443: connection reset (after 10 attempts)");
  CHECK(s.failure() == "https://example.test:443: connection reset");
  for (int i = 0; i < 14; ++i) s.network.expect(nullptr, 200, "");
  for (int i = 0; i < 14; ++i) s.send();
  s.fail_once();
  s.fail_once();
  CHECK(s.failure() == "https://example.test:443: connection reset (after 2 attempts)");
}

TEST_CASE("a success after a retry gives the quota back") {
  setup s({.max_attempts = 2});
  for (int i = 0; i < 100; ++i) {
    s.network.expect(nullptr, 500, "");
    s.network.expect(nullptr, 200, "");
    CHECK(s.send().status == 200);
  }
}

TEST_CASE("every request in flight may use up its attempts once") {
  fakes::scripted_transport network;
  fakes::fake_clock clock;
  runtime::semaphore permits{64};
  retrying_transport transport(network, clock, permits, read_json_failure, {.max_attempts = 10}, 1);
  for (int i = 0; i < 640; ++i) network.expect(nullptr, 500, "");
  request r;
  for (int i = 0; i < 64; ++i) {
    CHECK(fakes::run_task(transport.send(r)).header_value("x-dynabackup-attempts") == "10");
  }
  network.expect(nullptr, 500, "");
  CHECK(fakes::run_task(transport.send(r)).header_value("x-dynabackup-attempts") == "1");
}

namespace {

// A clock on which time passes only while nobody looks: every sleep is a turn of the event loop.
class yielding_clock final : public runtime::clock {
 public:
  fakes::fake_clock time;
  [[nodiscard]] wall_time now() const override { return time.now(); }
  [[nodiscard]] steady_time steady_now() const override { return time.steady_now(); }
  task<void> sleep(std::chrono::milliseconds duration) override {
    boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, 1ms);
    co_await timer.async_wait(boost::asio::use_awaitable);
    co_await time.sleep(duration);
  }
};

task<void> send_and_count(transport& t, int& done) {
  request r;
  const auto answer = co_await t.send(r);
  CHECK(answer.status == 200);
  ++done;
}

// Answers every first attempt with 500, and looks at the counters meanwhile.
class failing_first final : public transport {
 public:
  progress* seen = nullptr;
  std::uint64_t most = 0;
  task<response> send(request& r) override {
    most = std::max(most, seen->in_flight);
    response answer;
    answer.status = sent(r, "amz-sdk-request").starts_with("attempt=1;") ? 500 : 200;
    co_return answer;
  }
};

}  // namespace

TEST_CASE("no more requests are under way than there are permits, retries and their waits included") {
  failing_first network;
  yielding_clock clock;
  runtime::semaphore permits{2};
  progress seen;
  network.seen = &seen;
  retrying_transport transport(network, clock, permits, read_json_failure, {}, 7);
  transport.count_into(&seen);
  boost::asio::io_context io{1};
  int done = 0;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(io, send_and_count(transport, done), [](std::exception_ptr e) { CHECK(e == nullptr); });
  }
  io.run();
  CHECK(done == 10);
  CHECK(network.most == 2);
  CHECK(seen.peak_in_flight == 2);
  CHECK(seen.in_flight == 0);
  CHECK(seen.requests == 20);
  CHECK(seen.retries == 10);
}

TEST_CASE("cancellation ends a backoff and gives the permit back") {
  class cancelled_clock final : public runtime::clock {
   public:
    [[nodiscard]] wall_time now() const override { return {}; }
    [[nodiscard]] steady_time steady_now() const override { return {}; }
    task<void> sleep(std::chrono::milliseconds) override {
      throw boost::system::system_error(boost::asio::error::operation_aborted);
      co_return;
    }
  };
  fakes::scripted_transport network;
  cancelled_clock clock;
  runtime::semaphore permits{2};
  progress seen;
  retrying_transport transport(network, clock, permits, read_json_failure, {}, 7);
  transport.count_into(&seen);
  network.expect(nullptr, 500, "");
  request r;
  CHECK_THROWS_AS(fakes::run_task(transport.send(r)), boost::system::system_error);
  CHECK(permits.in_use() == 0);
  CHECK(seen.in_flight == 0);
}

TEST_CASE("an answer's share of the byte budget is given back before the backoff") {
  class charging final : public transport {
   public:
    explicit charging(byte_budget& b) : budget(b) {}
    byte_budget& budget;
    int sent = 0;
    task<response> send(request&) override {
      CHECK(budget.used() == 0);
      response answer;
      answer.charge = co_await budget.acquire(100);
      answer.status = ++sent < 3 ? 503 : 200;
      co_return answer;
    }
  };
  byte_budget budget(100);
  charging network(budget);
  fakes::fake_clock clock;
  runtime::semaphore permits{1};
  retrying_transport transport(network, clock, permits, read_xml_failure, {}, 7);
  request r;
  {
    const auto answer = fakes::run_task(transport.send(r));
    CHECK(answer.status == 200);
    CHECK(budget.used() == 100);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("what is asked before each attempt may end the request, behind the wait for the pace and without a trace") {
  setup s;
  int asked = 0;
  s.r.before_attempt = [&] {
    if (++asked == 2) throw error("not any more");
  };
  s.network.expect(nullptr, 500, "");
  CHECK_THROWS_WITH_AS(s.send(), "not any more", error);
  CHECK(asked == 2);
  CHECK(s.seen.requests == 1);
  CHECK(s.permits.in_use() == 0);
  CHECK(s.seen.in_flight == 0);
}

TEST_CASE("a request that waits for a permit is asked about when it has one") {
  setup s;
  boost::asio::io_context io(1);
  bool allowed = true;
  std::string refused;
  s.r.before_attempt = [&] {
    if (!allowed) throw error("not any more");
  };
  std::vector<runtime::semaphore::permit> all;
  for (int i = 0; i < 4; ++i) all.push_back(fakes::run_task(s.permits.acquire()));
  boost::asio::co_spawn(io, s.transport.send(s.r), [&](const std::exception_ptr& e, const response&) {
    try {
      if (e) std::rethrow_exception(e);
    } catch (const error& why) {
      refused = why.what();
    }
  });
  io.poll();
  allowed = false;
  all.clear();
  io.restart();
  io.run();
  CHECK(refused == "not any more");
  CHECK(s.seen.requests == 0);
}
