#include "lambda/runtime_api.hpp"

#include <chrono>
#include <doctest/doctest.h>
#include <mutex>
#include <string>
#include <vector>

#include "unit/http/loopback_server.hpp"

using namespace std::chrono_literals;
using namespace dynabackup;
using lambda::invocation;
using lambda::runtime_api;
using lambda::runtime_gone;

namespace {

constexpr const char* hang_up = "";
constexpr const char* reset = "reset";

/// Gives each request, on whichever connection, the next answer as it stands; hangs up when there is none left.
class platform {
 public:
  explicit platform(std::vector<std::string> answers)
      : answers_(std::move(answers)), server_([this](fakes::peer& p) { serve(p); }) {}

  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(server_.at().port); }
  [[nodiscard]] int connections() const { return server_.connections(); }
  std::vector<std::string> requests() {
    const std::scoped_lock lock(guard_);
    return requests_;
  }

 private:
  void serve(fakes::peer& p) {
    for (std::string r; !(r = p.request()).empty();) {
      const std::string answer = next(std::move(r));
      if (answer == reset) return p.reset();
      if (answer == hang_up) return;
      p.send(answer);
      if (answer.find("Connection: close") != std::string::npos) return;
    }
  }
  std::string next(std::string r) {
    const std::scoped_lock lock(guard_);
    requests_.push_back(std::move(r));
    return requests_.size() <= answers_.size() ? answers_[requests_.size() - 1] : hang_up;
  }

  std::vector<std::string> answers_;
  std::mutex guard_;
  std::vector<std::string> requests_;
  fakes::loopback_server server_;
};

std::string http(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string in_a_minute() {
  const auto when = std::chrono::system_clock::now() + 60s;
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(when.time_since_epoch()).count());
}

std::string event(const std::string& body, const std::string& id = "id-1") {
  return http("200 OK",
              "Lambda-Runtime-Aws-Request-Id: " + id + "\r\nLambda-Runtime-Deadline-Ms: " + in_a_minute() +
                  "\r\nLambda-Runtime-Trace-Id: Root=1-2\r\nLambda-Runtime-Invocation-Id: inv-7\r\n"
                  "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:f\r\n",
              body);
}

const std::string accepted = http("202 Accepted", "", "");

}  // namespace

TEST_CASE("an event is asked for, and its result handed in on the same connection") {
  platform p({event("{}"), accepted});
  runtime_api api(p.address());
  const invocation got = api.next();
  CHECK(got.request_id == "id-1");
  CHECK(got.invocation_id == "inv-7");
  CHECK(got.trace_id == "Root=1-2");
  CHECK(got.function_arn == "arn:aws:lambda:f");
  CHECK(got.event == "{}");
  CHECK(got.problem == "");
  CHECK(got.deadline > std::chrono::system_clock::now() + 50s);
  CHECK(!api.respond(got, "null"));
  CHECK(p.connections() == 1);
  const auto sent = p.requests();
  REQUIRE(sent.size() == 2);
  CHECK(sent[0] == "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + p.address() + "\r\n\r\n");
  CHECK(sent[1] == "POST /2018-06-01/runtime/invocation/id-1/response HTTP/1.1\r\nHost: " + p.address() +
                       "\r\nContent-Length: 4\r\nContent-Type: application/json\r\n"
                       "Lambda-Runtime-Invocation-Id: inv-7\r\n\r\nnull");
}

TEST_CASE("a failure goes out with its type, its id and a document") {
  platform p({event("{}"), accepted});
  runtime_api api(p.address());
  CHECK(!api.fail(api.next(), {"Function.Failed", "a \"b\"\n\xff"}));
  const auto sent = p.requests();
  REQUIRE(sent.size() == 2);
  CHECK(sent[1].starts_with("POST /2018-06-01/runtime/invocation/id-1/error HTTP/1.1\r\n"));
  CHECK(sent[1].find("Lambda-Runtime-Function-Error-Type: Function.Failed\r\n") != std::string::npos);
  CHECK(sent[1].find("Lambda-Runtime-Invocation-Id: inv-7\r\n") != std::string::npos);
  CHECK(sent[1].ends_with(R"({"errorMessage":"a \"b\"\n?","errorType":"Function.Failed","stackTrace":[]})"));
}

TEST_CASE("the error of a start goes to a place of its own") {
  platform p({accepted});
  runtime_api(p.address()).fail_init({"Runtime.Misconfigured", "no bucket"});
  const auto sent = p.requests();
  REQUIRE(sent.size() == 1);
  CHECK(sent[0].starts_with("POST /2018-06-01/runtime/init/error HTTP/1.1\r\n"));
}

TEST_CASE("a request id is sent back encoded, so that it can be no other path") {
  platform p({event("{}", "../a b?c"), accepted});
  runtime_api api(p.address());
  api.respond(api.next(), "1");
  CHECK(p.requests().at(1).starts_with("POST /2018-06-01/runtime/invocation/..%2Fa%20b%3Fc/response HTTP/1.1\r\n"));
}

TEST_CASE("asking again goes on where an answer was lost, cut or useless") {
  const struct {
    const char* what;
    std::string first;
  } rows[] = {
      {"closed without an answer", hang_up},
      {"reset", reset},
      {"cut in its head", "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Requ\r\nConnection: close"},
      {"cut in its body",
       "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: a\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{}"},
      {"no HTTP", "220 smtp ready\r\nConnection: close\r\n"},
      {"400", http("400 Bad Request", "", "{}")},
      {"403", http("403 Forbidden", "", R"({"errorType":"InvalidStateTransition"})")},
      {"no request id", http("200 OK", "Lambda-Runtime-Deadline-Ms: 1\r\n", "{}")},
      {"absurdly large", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 999999999\r\n\r\n"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.what);
    platform p({row.first, event("[1]")});
    runtime_api api(p.address());
    CHECK(api.next().event == "[1]");
  }
}

TEST_CASE("asking in vain ends after a few tries, not in a busy loop") {
  for (const std::string& answer : {std::string(hang_up), http("403 Forbidden", "", "no"), http("200 OK", "", "{}")}) {
    CAPTURE(answer);
    platform p(std::vector<std::string>(20, answer));
    runtime_api api(p.address());
    CHECK_THROWS_AS(api.next(), runtime_gone);
    CHECK(p.requests().size() == 5);
  }
}

TEST_CASE("nobody listens: the end comes soon and says why") {
  std::string address;
  {
    address = platform({}).address();
  }
  runtime_api api(address);
  const auto began = std::chrono::steady_clock::now();
  CHECK_THROWS_WITH_AS(api.next(), doctest::Contains("cannot connect"), runtime_gone);
  CHECK(std::chrono::steady_clock::now() - began < 10s);
}

TEST_CASE("an error of the container is the end at once, whatever was asked") {
  const std::string broken = http("500 Internal Server Error", "", R"({"errorType":"Container"})");
  platform asked({broken});
  CHECK_THROWS_AS(runtime_api(asked.address()).next(), runtime_gone);
  CHECK(asked.requests().size() == 1);
  for (const bool well : {true, false}) {
    platform told({event("{}"), broken});
    runtime_api api(told.address());
    const invocation got = api.next();
    if (well)
      CHECK_THROWS_AS(api.respond(got, "1"), runtime_gone);
    else
      CHECK_THROWS_AS(api.fail(got, {"A.B", "c"}), runtime_gone);
    CHECK(told.requests().size() == 2);
  }
}

TEST_CASE("a result that is refused becomes a failure of its invocation") {
  platform p({event("{}"), http("413 Payload Too Large", "", "too large"), accepted, event("2")});
  runtime_api api(p.address());
  const auto refused = api.respond(api.next(), "\"a result\"");
  REQUIRE(refused);
  CHECK(refused->find("413") != std::string::npos);
  CHECK(p.requests().at(2).starts_with("POST /2018-06-01/runtime/invocation/id-1/error"));
  CHECK(api.next().event == "2");
}

TEST_CASE("a result whose answer was lost is handed in again, and taken to be there when that is refused") {
  platform p({event("{}"), hang_up, http("403 Forbidden", "", "InvalidStateTransition"), event("2")});
  runtime_api api(p.address());
  CHECK(!api.respond(api.next(), "1"));
  CHECK(p.requests().size() == 3);
  CHECK(api.next().event == "2");
}

TEST_CASE("deadlines that cannot be met or read make an event that is to be failed") {
  const auto at = [](const std::string& deadline) {
    platform p({http("200 OK", "Lambda-Runtime-Aws-Request-Id: a\r\n" + deadline, "{}")});
    return runtime_api(p.address()).next();
  };
  CHECK(at("Lambda-Runtime-Deadline-Ms: 5000\r\n").problem == "its deadline had passed when it arrived");
  CHECK(at("Lambda-Runtime-Deadline-Ms: soon\r\n").problem == "the deadline soon is not a time");
  CHECK(at("Lambda-Runtime-Deadline-Ms: 99999999999999999999\r\n").problem != "");
  CHECK(at("Lambda-Runtime-Deadline-Ms: -1\r\n").problem != "");
  const invocation without = at("");
  CHECK(without.problem == "");
  CHECK(without.deadline > std::chrono::system_clock::now() + 14min);
}

TEST_CASE("an event beyond Lambda's limit is to be failed, by its id") {
  platform p({event(std::string(std::size_t{8} << 20, ' '))});
  const invocation got = runtime_api(p.address()).next();
  CHECK(got.request_id == "id-1");
  CHECK(got.problem.find("more than") != std::string::npos);
}

TEST_CASE("an address that is none is a usage error") {
  for (const char* address : {"", "host:port", "host/path", "user@host:1", "host:99999"}) {
    CAPTURE(address);
    CHECK_THROWS_AS(runtime_api{address}, usage_error);
  }
}
