#include "http/connection.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <cstdint>
#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/ssl.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <utility>

#include "dynabackup/error.hpp"
#include "http/request_head.hpp"
#include "http/response_reader.hpp"
#include "http/tls_trust.hpp"

namespace dynabackup::http {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using stage = transport_error::stage;

namespace {

constexpr auto no_throw = asio::as_tuple(asio::use_awaitable);
// Up to here a copy into one buffer is cheaper than a second one in the system call, and over TLS than a second record.
constexpr std::size_t gather_from_bytes = 64 * 1024;
// How long a server that broke off our request is listened to for its reasons.
constexpr std::chrono::milliseconds last_words{1'000};

// The one timer of a connection. It closes the socket, because a composed operation between two steps would not notice
// that one step was cancelled. What it shares with its handler outlives it: a handler that is already queued when the
// alarm is put off must find that out.
class alarm {
 public:
  explicit alarm(tcp::socket& socket) : timer_(socket.get_executor()), shared_(std::make_shared<shared>(&socket)) {}
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;
  ~alarm() { ++shared_->generation; }

  void set(connection::time_point when) {
    const std::uint64_t generation = ++shared_->generation;
    timer_.expires_at(when);
    timer_.async_wait([state = shared_, generation](const error_code& cancelled) {
      if (cancelled || state->generation != generation) return;
      state->rang = true;
      error_code ignored;
      state->socket->close(ignored);
    });
  }
  void off() {
    ++shared_->generation;
    timer_.cancel();
  }
  [[nodiscard]] bool rang() const { return shared_->rang; }

 private:
  struct shared {
    explicit shared(tcp::socket* s) : socket(s) {}
    tcp::socket* socket;
    std::uint64_t generation = 0;
    bool rang = false;
  };
  asio::steady_timer timer_;
  std::shared_ptr<shared> shared_;
};

// An alarm is never left set, whichever way a step ends: an idle connection must not keep the io_context running.
class step {
 public:
  step(alarm& a, connection::limits time) : alarm_(a) {
    const auto now = std::chrono::steady_clock::now();
    const bool whole_attempt = time.attempt_ends < now + time.step;
    allowed_ = whole_attempt ? time.attempt : time.step;
    ends_ = whole_attempt ? time.attempt_ends : now + time.step;
    alarm_.set(ends_);
  }
  step(const step&) = delete;
  step& operator=(const step&) = delete;
  ~step() { alarm_.off(); }

  void shorten(std::chrono::milliseconds left) {
    const auto sooner = std::chrono::steady_clock::now() + left;
    if (sooner >= ends_) return;
    ends_ = sooner;
    allowed_ = left;
    alarm_.set(ends_);
  }
  void pause() {
    left_ = ends_ - std::chrono::steady_clock::now();
    alarm_.off();
  }
  void resume() {
    ends_ = std::chrono::steady_clock::now() + left_;
    alarm_.set(ends_);
  }
  [[nodiscard]] long long allowed_ms() const { return static_cast<long long>(allowed_.count()); }

 private:
  alarm& alarm_;
  std::chrono::milliseconds allowed_{};
  connection::time_point ends_;
  std::chrono::steady_clock::duration left_{};
};

}  // namespace

struct connection::impl {
  impl(const asio::any_io_executor& executor, origin where, tls_trust& authorities)
      : to(std::move(where)),
        endpoint(to.text()),
        trust(authorities),
        socket(executor),
        deadline(socket),
        reader(endpoint) {}

  task<void> connect(std::vector<asio::ip::address> addresses, limits time);
  task<void> handshake(limits time);
  task<response> exchange(request& r, std::size_t max_header_bytes, limits time);
  std::size_t send_at_once(error_code& failure);
  task<error_code> write(std::size_t from, std::string_view body);
  task<void> read_answer(request& r, step& current, std::chrono::milliseconds once_begun);
  task<void> admit_body(request& r, step& current);
  void check(const error_code& failure, const step& current, stage where, const char* what) const;
  [[nodiscard]] transport_error broken(stage where, const std::string& what) const { return {endpoint, where, what}; }

  origin to;
  std::string endpoint;
  tls_trust& trust;
  tcp::socket socket;
  std::optional<ssl::stream<tcp::socket&>> tls;
  alarm deadline;
  response_reader reader;
  std::string out;
};

// Everything that is not an answer: cancelled, too late, or broken.
void connection::impl::check(const error_code& failure, const step& current, stage where, const char* what) const {
  if (!failure) return;
  if (deadline.rang()) throw broken(where, fmt::format("{} within {} ms", what, current.allowed_ms()));
  if (failure == asio::error::operation_aborted) throw boost::system::system_error(failure);
  throw broken(where, fmt::format("{}: {}", what, failure.message()));
}

task<void> connection::impl::connect(std::vector<asio::ip::address> addresses, limits time) {
  std::vector<tcp::endpoint> targets;
  for (const auto& address : addresses) targets.emplace_back(address, to.port);
  const step current(deadline, time);
  const auto connected = co_await asio::async_connect(socket, targets, no_throw);
  check(std::get<0>(connected), current, stage::before_send, "cannot connect");
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
}

task<void> connection::impl::handshake(limits time) {
  tls.emplace(socket, trust.context());
  expect_host(tls->native_handle(), to.host);
  const step current(deadline, time);
  const auto shaken = co_await tls->async_handshake(ssl::stream_base::client, no_throw);
  const error_code failure = std::get<0>(shaken);
  if (failure && !deadline.rang() && failure != asio::error::operation_aborted) {
    const handshake_failure reason = explain_handshake(tls->native_handle(), failure);
    transport_error refused = broken(stage::before_send, reason.what);
    refused.retryable = reason.retryable;
    throw refused;
  }
  check(failure, current, stage::before_send, "no TLS handshake");
}

// A small request fits into the socket's buffer and needs no suspension; what is left of another is for write().
std::size_t connection::impl::send_at_once(error_code& failure) {
  const auto sent = ::send(socket.native_handle(), out.data(), out.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) failure = {errno, boost::system::system_category()};
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

task<error_code> connection::impl::write(std::size_t from, std::string_view body) {
  const std::array<asio::const_buffer, 2> parts{asio::buffer(out) + from, asio::buffer(body)};
  if (tls) {
    const auto sent = co_await asio::async_write(*tls, parts, no_throw);
    co_return std::get<0>(sent);
  }
  const auto sent = co_await asio::async_write(socket, parts, no_throw);
  co_return std::get<0>(sent);
}

task<response> connection::impl::exchange(request& r, std::size_t max_header_bytes, limits time) {
  reader.begin({max_header_bytes, r.max_response_bytes, r.method == "HEAD"});
  out.clear();
  append_head(out, r);
  const bool gather = r.body.size() > gather_from_bytes;
  if (!gather) out += r.body;
  step current(deadline, time);
  error_code unsent;
  const std::size_t sent = gather || tls ? 0 : send_at_once(unsent);
  if (!unsent && sent < out.size()) unsent = co_await write(sent, gather ? r.body : std::string_view{});
  std::exception_ptr no_answer;
  if (unsent) {
    if (deadline.rang() || unsent == asio::error::operation_aborted) {
      check(unsent, current, stage::after_send, "no complete answer");
    }
    // A server that refuses a request in mid-body answers and closes: that answer says more than a broken pipe.
    current.shorten(last_words);
  }
  try {
    co_await read_answer(r, current, time.answer);
  } catch (const transport_error&) {
    no_answer = std::current_exception();
  }
  if (no_answer && unsent) throw broken(stage::after_send, "the request could not be sent: " + unsent.message());
  if (no_answer) std::rethrow_exception(no_answer);
  response answer = reader.take();
  if (unsent) {
    error_code ignored;
    socket.close(ignored);
  }
  co_return answer;
}

task<void> connection::impl::read_answer(request& r, step& current, std::chrono::milliseconds once_begun) {
  while (reader.now() != response_reader::state::done) {
    if (reader.now() == response_reader::state::held) {
      co_await admit_body(r, current);
      continue;
    }
    const std::span<char> room = reader.room();
    const asio::mutable_buffer into(room.data(), room.size());
    std::tuple<error_code, std::size_t> got;
    if (tls) {
      got = co_await tls->async_read_some(into, no_throw);
    } else {
      got = co_await socket.async_read_some(into, no_throw);
    }
    const auto& [failure, bytes] = got;
    if (once_begun.count() > 0 && bytes > 0) current.shorten(std::exchange(once_begun, {}));
    if (bytes > 0) reader.received(bytes);
    if (failure == asio::error::eof && !deadline.rang()) {
      reader.closed();
    } else {
      check(failure, current, stage::after_send, "no complete answer");
    }
  }
}

task<void> connection::impl::admit_body(request& r, step& current) {
  byte_budget::charge share;
  if (r.budget != nullptr) {
    current.pause();
    share = co_await r.budget->acquire(reader.body_cost());
    current.resume();
  }
  reader.admit(std::move(share));
}

connection::connection(const asio::any_io_executor& executor, origin to, tls_trust& trust)
    : impl_(std::make_unique<impl>(executor, std::move(to), trust)) {}
connection::~connection() = default;

task<void> connection::connect(std::vector<asio::ip::address> addresses, limits time) {
  return impl_->connect(std::move(addresses), time);
}
task<void> connection::handshake(limits time) { return impl_->handshake(time); }
task<response> connection::exchange(request& r, std::size_t max_header_bytes, limits time) {
  return impl_->exchange(r, max_header_bytes, time);
}

const origin& connection::to() const { return impl_->to; }
asio::any_io_executor connection::executor() const { return impl_->socket.get_executor(); }
bool connection::reusable() const {
  if (!impl_->socket.is_open() || !impl_->reader.reusable()) return false;
  if (!impl_->tls) return true;
  SSL* const session = impl_->tls->native_handle();
  return SSL_has_pending(session) == 0 && BIO_ctrl_pending(SSL_get_rbio(session)) == 0;
}
bool connection::went_stale() const { return !impl_->reader.started() && !impl_->deadline.rang(); }

bool connection::quiet() const {
  char unasked = 0;
  const auto got = ::recv(impl_->socket.native_handle(), &unasked, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

}  // namespace dynabackup::http
