#include "lambda/runtime_api.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <exception>
#include <fmt/format.h>
#include <utility>

#include "dynabackup/http.hpp"
#include "dynabackup/task.hpp"
#include "http/connection.hpp"
#include "http/name_cache.hpp"
#include "http/tls_trust.hpp"
#include "http/url.hpp"
#include "text/codecs.hpp"

namespace dynabackup::lambda {
namespace {

namespace net = boost::asio;
using namespace std::chrono_literals;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::string_view prefix = "/2018-06-01/runtime";
/// Lambda's limit on an event is 6 MB. What is larger, but not absurd, is taken in so that it can be failed by its id.
constexpr std::size_t largest_event = std::size_t{7} << 20;
constexpr std::size_t largest_body = std::size_t{16} << 20;
constexpr std::size_t largest_head = 64 * 1024;
constexpr std::size_t longest_message = 16 * 1024;
/// The platform may take its time to have work for us, and we may be frozen meanwhile; not to tell us about it.
constexpr milliseconds without_end = std::chrono::hours{24 * 365};
/// It is on this machine: an answer that has begun is soon whole.
constexpr milliseconds whole_answer = 10s;
constexpr milliseconds connect_time = 1s;
/// A function runs 15 minutes at most.
constexpr std::chrono::minutes longest_run{15};
/// Before each try. The second is at once: the platform may have closed a connection that rested.
constexpr std::array<milliseconds, 5> pauses{0ms, 0ms, 50ms, 200ms, 500ms};

std::chrono::sys_time<milliseconds> now() { return std::chrono::floor<milliseconds>(std::chrono::system_clock::now()); }

origin where(std::string_view address) {
  const http::url at = http::parse_url("http://" + std::string(address));
  if (!at.path.empty()) throw usage_error("AWS_LAMBDA_RUNTIME_API is not a host and a port: " + std::string(address));
  return at.where;
}

/// Whole milliseconds since the epoch; nullopt for anything else.
std::optional<std::chrono::sys_time<milliseconds>> read_deadline(std::string_view text) {
  constexpr std::size_t most_digits = 15;
  long long count = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (failed != std::errc{} || end != text.data() + text.size() || count < 0 || text.size() > most_digits)
    return std::nullopt;
  return std::chrono::sys_time<milliseconds>(milliseconds(count));
}

std::string problem_with(const invocation& got, std::string_view deadline, bool readable) {
  if (!readable) return fmt::format("the deadline {} is not a time", deadline.substr(0, 40));
  if (got.deadline <= now()) return "its deadline had passed when it arrived";
  if (got.event.size() > largest_event)
    return fmt::format("an event of {} bytes is more than the {} that are taken", got.event.size(), largest_event);
  return "";
}

invocation read_invocation(response answer) {
  invocation got;
  const auto header = [&](std::string_view name) { return std::string(answer.header_value(name)); };
  got.request_id = header("Lambda-Runtime-Aws-Request-Id");
  got.invocation_id = header("Lambda-Runtime-Invocation-Id");
  got.function_arn = header("Lambda-Runtime-Invoked-Function-Arn");
  got.trace_id = header("Lambda-Runtime-Trace-Id");
  const std::string deadline = header("Lambda-Runtime-Deadline-Ms");
  const auto when = read_deadline(deadline);
  got.deadline = when.value_or(now() + longest_run);
  got.event = std::move(answer.body);
  got.problem = problem_with(got, deadline, when || deadline.empty());
  return got;
}

/// What a refusal says, fit for a log.
std::string refusal(const response& answer) {
  constexpr std::size_t enough = 300;
  std::string said = answer.body.substr(0, enough);
  std::ranges::replace_if(said, [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, ' ');
  return fmt::format("{} {}", answer.status, said);
}

}  // namespace

struct runtime_api::impl {
  net::io_context io{1};
  origin to;
  http::tls_trust no_trust{""};
  http::name_cache names{30s};
  std::unique_ptr<http::connection> line{};

  explicit impl(std::string_view address) : to(where(address)) {}

  /// Runs a coroutine to its end on this thread.
  response complete(task<response> work) {
    std::exception_ptr failure;
    response result;
    net::co_spawn(io, std::move(work), [&](std::exception_ptr e, response r) {
      failure = e;
      result = std::move(r);
    });
    io.restart();
    io.run();
    if (failure) std::rethrow_exception(failure);
    return result;
  }

  task<void> connect() {
    const http::connection::limits time{connect_time, connect_time, steady_clock::now() + connect_time};
    auto fresh = std::make_unique<http::connection>(co_await net::this_coro::executor, to, no_trust);
    auto addresses = co_await names.lookup(to, time.attempt_ends);
    co_await fresh->connect(std::move(addresses), time);
    line = std::move(fresh);
  }

  task<response> exchange(request& r, milliseconds pause, milliseconds allowed) {
    if (pause.count() > 0) {
      net::steady_timer timer(co_await net::this_coro::executor, pause);
      co_await timer.async_wait(net::use_awaitable);
    }
    if (!line || !line->reusable() || !line->quiet()) {
      line.reset();
      co_await connect();
    }
    const http::connection::limits time{allowed, allowed, steady_clock::now() + allowed, whole_answer};
    co_return co_await line->exchange(r, largest_head, time);
  }

  /// One try. A failed one costs the connection.
  response attempt(request& r, std::size_t number, milliseconds allowed) {
    try {
      return complete(exchange(r, pauses[number], allowed));
    } catch (...) {
      line.reset();
      throw;
    }
  }

  [[nodiscard]] request describe(const char* method, std::string target) const {
    request r;
    r.method = method;
    r.to = to;
    r.target = std::string(prefix) + std::move(target);
    r.max_response_bytes = largest_body;
    return r;
  }

  std::optional<std::string> post(request r, const char* what);
};

runtime_api::runtime_api(std::string_view address) : impl_(std::make_unique<impl>(address)) {}
runtime_api::~runtime_api() = default;

invocation runtime_api::next() {
  request r = impl_->describe("GET", "/invocation/next");
  std::string last;
  for (std::size_t n = 0; n < pauses.size(); ++n) {
    response answer;
    try {
      answer = impl_->attempt(r, n, without_end);
    } catch (const transport_error& e) {
      last = e.what();
      continue;
    }
    if (answer.status >= 500)
      throw runtime_gone("the Runtime API reports an error of the container: " + refusal(answer));
    if (answer.status != 200) {
      last = "it answered " + refusal(answer);
      continue;
    }
    invocation got = read_invocation(std::move(answer));
    if (!got.request_id.empty()) return got;
    last = "an event came without Lambda-Runtime-Aws-Request-Id, so nobody could be answered";
  }
  throw runtime_gone(
      fmt::format("the Runtime API gave no event in {} tries in a row; the last time: {}", pauses.size(), last));
}

/// nullopt when it was taken. An earlier try that was lost on the way may have been taken: then this one is refused.
std::optional<std::string> runtime_api::impl::post(request r, const char* what) {
  std::string last;
  bool lost = false;
  for (std::size_t n = 0; n < pauses.size(); ++n) {
    response answer;
    try {
      answer = attempt(r, n, whole_answer);
    } catch (const transport_error& e) {
      lost = lost || e.where == transport_error::stage::after_send;
      last = e.what();
      continue;
    }
    if (answer.status >= 500)
      throw runtime_gone(
          fmt::format("the Runtime API reports an error of the container, given {}: {}", what, refusal(answer)));
    if (answer.status < 300 || (lost && answer.status != 413)) return std::nullopt;
    return fmt::format("the Runtime API refused {}: {}", what, refusal(answer));
  }
  throw runtime_gone(
      fmt::format("the Runtime API took {} in none of {} tries; the last time: {}", what, pauses.size(), last));
}

std::optional<std::string> runtime_api::respond(const invocation& to, std::string json) {
  const std::size_t bytes = json.size();
  request r = impl_->describe("POST", "/invocation/" + text::percent_encode(to.request_id) + "/response");
  r.headers.push_back({"Content-Type", "application/json"});
  if (!to.invocation_id.empty()) r.headers.push_back({"Lambda-Runtime-Invocation-Id", to.invocation_id});
  r.body = std::move(json);
  const std::optional<std::string> refused = impl_->post(std::move(r), "a result");
  if (!refused) return std::nullopt;
  // Whoever invoked us waits for something. Where it is not ours to answer any more, this is refused as well.
  fail(to, {"Function.ResponseRefused", fmt::format("a result of {} bytes was not taken: {}", bytes, *refused)});
  return refused;
}

std::optional<std::string> runtime_api::fail(const invocation& what, const invocation_failure& why) {
  request r = impl_->describe("POST", "/invocation/" + text::percent_encode(what.request_id) + "/error");
  r.headers.push_back({"Content-Type", "application/json"});
  r.headers.push_back({"Lambda-Runtime-Function-Error-Type", why.type});
  if (!what.invocation_id.empty()) r.headers.push_back({"Lambda-Runtime-Invocation-Id", what.invocation_id});
  r.body = failure_json(why);
  return impl_->post(std::move(r), "an error");
}

void runtime_api::fail_init(const invocation_failure& why) {
  request r = impl_->describe("POST", "/init/error");
  r.headers.push_back({"Content-Type", "application/json"});
  r.headers.push_back({"Lambda-Runtime-Function-Error-Type", why.type});
  r.body = failure_json(why);
  impl_->post(std::move(r), "the error of the start");
}

std::string failure_json(const invocation_failure& why) {
  std::string message = why.message.substr(0, longest_message);
  // Parts of a message come from outside; the cut may have gone through a character as well.
  if (!text::valid_utf8(message)) std::ranges::replace_if(message, [](unsigned char c) { return c >= 0x80; }, '?');
  std::string json = R"({"errorMessage":)";
  text::append_json_string(json, message);
  json += R"(,"errorType":)";
  text::append_json_string(json, why.type);
  return json + R"(,"stackTrace":[]})";
}

}  // namespace dynabackup::lambda
