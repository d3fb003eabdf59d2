#include "pipelines/other_recorders.hpp"

#include <algorithm>
#include <doctest/doctest.h>

#include "fakes/fake_clock.hpp"
#include "fakes/run_task.hpp"
#include "fakes/scripted_transport.hpp"
#include "follow_world.hpp"

namespace dynabackup::pipelines {
namespace {

constexpr auto lambda = "http://lambda.test";

bool mentions(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }
bool is_for_lambda(const request& r) { return r.to.host == "lambda.test"; }

std::string mapping(const std::string& number, const std::string& state, const std::string& stream) {
  return R"({"UUID":"0000-)" + number + R"(","FunctionArn":"arn:aws:lambda:eu-central-1:1:function:f)" + number +
         R"(","State":")" + state + R"(","EventSourceArn":")" + stream + R"("})";
}

/// Follows for a while beside a Lambda that answers so; the changes before and meanwhile must be recorded.
struct beside_lambda {
  follow_world w;
  int asked = 0;
  bool recording_begun = false;
  bool asked_too_late = false;
  progress seen;
  report told;

  [[nodiscard]] std::string stream() { return w.stream_arn(); }

  void follow_with(const std::function<void(follower&)>& arrange, std::optional<std::string> endpoint = lambda) {
    w.put("a", 1);
    follower f(w, {}, std::move(endpoint));
    f.watch = [this](const request& r) {
      recording_begun = recording_begun || (r.method == "PUT" && mentions(r.target, "recorder.json"));
      if (!is_for_lambda(r)) return;
      ++asked;
      asked_too_late = asked_too_late || recording_begun;
    };
    arrange(f);
    f.run(seconds{15});
    CHECK(w.equal());
    w.put("b", 2);
    f.run(seconds{5});
    CHECK(w.equal());
    seen = f.seen();
    told = f.stopped();
    CHECK(told.whole());
    CHECK_FALSE(asked_too_late);
  }

  void answered(int status, const std::string& body) {
    follow_with([&](follower& f) {
      f.instead = [=](const request& r) -> std::optional<response> {
        if (!is_for_lambda(r)) return std::nullopt;
        return response{status, {}, body, {}};
      };
    });
  }

  [[nodiscard]] std::size_t warnings() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(seen.notices, [](const std::string& n) { return n.starts_with("warning: "); }));
  }
};

std::string listed(const std::string& mappings) { return R"({"EventSourceMappings":[)" + mappings + "]}"; }

}  // namespace

TEST_CASE("an enabled mapping on the stream is warned of once, before the lease is taken") {
  for (const char* state : {"Enabled", "Enabling", "Creating", "Updating"}) {
    beside_lambda b;
    b.answered(200, listed(mapping("1", "Disabled", b.stream()) + "," + mapping("2", state, b.stream())));
    CHECK(b.asked == 1);
    REQUIRE(b.told.warnings.size() == 1);
    CHECK(b.warnings() == 1);
    const std::string& warning = b.told.warnings[0];
    CHECK(mentions(warning, "arn:aws:lambda:eu-central-1:1:function:f2 (mapping 0000-2, "));
    CHECK(mentions(warning, "s3://backup/items/"));
    CHECK(mentions(warning, "aws lambda update-event-source-mapping --uuid 0000-2 --no-enabled"));
    CHECK_FALSE(mentions(warning, "f1"));
  }
}

TEST_CASE("several functions make one warning of bounded length") {
  beside_lambda b;
  std::string all;
  for (int i = 0; i < 50; ++i) all += (i == 0 ? "" : ",") + mapping(std::to_string(i), "Enabled", b.stream());
  b.answered(200, listed(all));
  REQUIRE(b.told.warnings.size() == 1);
  CHECK(mentions(b.told.warnings[0], "function:f0 "));
  CHECK(mentions(b.told.warnings[0], "and 47 more"));
  CHECK(b.told.warnings[0].size() < 1'000);
}

TEST_CASE("nothing is said where no function reads the stream") {
  beside_lambda none;
  none.answered(200, listed(""));
  CHECK(none.told.warnings.empty());
  beside_lambda disabled;
  disabled.answered(200, listed(mapping("1", "Disabled", disabled.stream())));
  CHECK(disabled.told.warnings.empty());
  beside_lambda another;
  another.answered(200, listed(mapping("1", "Enabled", another.stream() + "0")));
  CHECK(another.told.warnings.empty());
  CHECK(another.asked == 1);
}

TEST_CASE("what Lambda does not tell keeps nobody from following") {
  for (const auto& [status, body] : std::initializer_list<std::pair<int, std::string>>{
           {403, R"({"Message":"not authorized"})"},
           {403, R"({"__type":"ExpiredTokenException","message":"expired"})"},
           {404, "<Error><Code>NoSuchBucket</Code></Error>"},
           {500, "<html/>"},
           {301, ""},
           {200, ""},
           {200, "garbage"},
           {200, R"({"EventSourceMappings":[{"UUID":"; rm -rf /","FunctionArn":"f","State":"Enabled"}]})"}}) {
    CAPTURE(status);
    CAPTURE(body);
    beside_lambda b;
    b.answered(status, body);
    CHECK(b.asked == 1);
    CHECK(b.told.warnings.empty());
    CHECK(b.warnings() == 0);
  }
}

TEST_CASE("a Lambda that does not answer is waited for three seconds, one that throttles for less") {
  beside_lambda silent;
  milliseconds waited{0};
  silent.follow_with([&](follower& f) {
    f.delay = [&](const request& r) {
      if (!is_for_lambda(r)) return milliseconds{0};
      waited = r.attempt_timeout;
      return milliseconds{hours{1}};
    };
  });
  CHECK(silent.asked == 1);
  CHECK(waited == seconds{3});
  CHECK(silent.told.warnings.empty());
  CHECK(silent.told.retries == 0);

  beside_lambda busy;
  busy.answered(429, "{}");
  CHECK(busy.asked == 3);
  CHECK(busy.told.throttles == 0);
}

TEST_CASE("beside a table endpoint of the user's own, Lambda is asked where it has one too, and nowhere else") {
  beside_lambda b;
  int elsewhere = 0;
  b.follow_with(
      [&](follower& f) {
        f.watch = [&](const request& r) {
          elsewhere += r.to.host != "dynamodb.test" && r.to.host != "s3.test" ? 1 : 0;
        };
      },
      std::nullopt);
  CHECK(elsewhere == 0);
}

TEST_CASE("Lambda is asked in the table's region, where it has an endpoint, or not at all") {
  struct row {
    const char *region, *table, *lambda;
    bool fips;
    const char* host;
  };
  for (const row& r : {row{"eu-west-1", "", "", false, "lambda.eu-west-1.amazonaws.com"},
                       row{"eu-west-1", "", "", true, "lambda-fips.eu-west-1.amazonaws.com"},
                       row{"eu-west-1", "", "http://lambda.test", false, "lambda.test"},
                       row{"eu-west-1", "", "http://lambda.test", true, "lambda.test"},
                       row{"eu-west-1", "http://localhost:8000", "http://lambda.test", false, "lambda.test"},
                       row{"", "http://localhost:8000", "http://lambda.test", false, "lambda.test"},
                       row{"eu-west-1", "http://localhost:8000", "", false, ""}, row{"local", "", "", false, ""}}) {
    CAPTURE(std::string(r.host));
    settings s;
    s.dynamodb.region = r.region;
    s.s3.region = "us-east-1";
    if (*r.table != '\0') s.dynamodb.endpoint = r.table;
    if (*r.lambda != '\0') s.lambda.endpoint = r.lambda;
    s.endpoints.use_fips = r.fips;
    s.credentials.environment = [](const std::string& name) {
      const bool key = name == "AWS_ACCESS_KEY_ID" || name == "AWS_SECRET_ACCESS_KEY";
      return key ? std::optional<std::string>("any") : std::nullopt;
    };
    fakes::scripted_transport network;
    fakes::fake_clock clock;
    composition stacks(s, &network, clock, 1);
    progress seen;
    run_context run = stacks.context(seen);
    if (*r.host != '\0')
      network.expect([&](const request& asked) { CHECK(asked.to.host == r.host); }, 200,
                     listed(mapping("1", "Enabled", "arn")));
    const std::string warning = fakes::run_task(warning_of_functions(run, "arn", {"backup", "items/"}));
    CHECK(warning.empty() == (*r.host == '\0'));
    CHECK(seen.requests == 0);
  }
}

}  // namespace dynabackup::pipelines
