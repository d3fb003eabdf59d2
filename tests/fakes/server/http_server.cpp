#include "fakes/server/http_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>

#include "dynabackup/task.hpp"
#include "fakes/server/response_bytes.hpp"

namespace dynabackup::fakes {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
/// Bodies up to here are copied behind the head: cheaper than a second buffer to write.
constexpr std::size_t small_body = 16 * 1024;
constexpr std::size_t drip_pieces = 16;

}  // namespace

struct http_server::impl : std::enable_shared_from_this<impl> {
  impl(asio::io_context& context, std::uint16_t port, request_reader::limits l, server_hooks h)
      : acceptor(context, {asio::ip::address_v4::loopback(), port}),
        listening_on(acceptor.local_endpoint()),
        closed_until(context),
        limits(l),
        hooks(std::move(h)) {}

  /// One connection, owned by its coroutine and known here so that it can be closed.
  struct peer {
    peer(impl& server, tcp::socket s) : socket(std::move(s)), reader(server.limits), timer(socket.get_executor()) {
      error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      socket.non_blocking(true, ignored);
      server.peers.push_back(this);
      at = std::prev(server.peers.end());
    }
    tcp::socket socket;
    request_reader reader;
    asio::steady_timer timer;
    std::string head;
    // What answered_at_once left to answer_request.
    std::optional<fault> met;
    response answer;
    std::size_t unwritten = 0;
    std::list<peer*>::iterator at;
  };

  static task<void> accept(std::shared_ptr<impl> self);
  static task<void> listen_again(std::shared_ptr<impl> self);
  static task<void> act_later(std::shared_ptr<impl> self, request r, std::chrono::milliseconds delay);
  static task<void> serve(std::shared_ptr<impl> self, tcp::socket socket);
  task<bool> read_request(peer& p);
  bool answered_at_once(peer& p);
  task<bool> answer_request(peer& p);
  static task<bool> write_answer(peer& p, const response& answer, bool keep_alive);
  task<bool> suffer(peer& p, fault f);
  static task<bool> drip(peer& p, std::string bytes, std::chrono::milliseconds pause);
  static task<void> pause(peer& p, std::chrono::milliseconds time);
  static void reset(peer& p);
  void refuse_connections(std::chrono::milliseconds time);

  tcp::acceptor acceptor;
  tcp::endpoint listening_on;
  asio::steady_timer closed_until;
  bool stopped = false;
  request_reader::limits limits;
  server_hooks hooks;
  std::list<peer*> peers;
  std::list<asio::steady_timer*> delayed;
};

task<void> http_server::impl::accept(std::shared_ptr<impl> self) {
  while (!self->stopped) {
    if (!self->acceptor.is_open()) co_await listen_again(self);
    auto [failure, socket] = co_await self->acceptor.async_accept(as_result);
    if (failure == asio::error::operation_aborted) continue;
    if (failure) {  // no descriptor left: others will close theirs
      asio::steady_timer rest(self->acceptor.get_executor(), std::chrono::milliseconds(10));
      co_await rest.async_wait(as_result);
      continue;
    }
    asio::co_spawn(self->acceptor.get_executor(), serve(self, std::move(socket)), asio::detached);
  }
}

/// Once nobody is to be refused any more.
task<void> http_server::impl::listen_again(std::shared_ptr<impl> self) {
  while (!self->stopped && std::chrono::steady_clock::now() < self->closed_until.expiry())
    co_await self->closed_until.async_wait(as_result);
  if (self->stopped) co_return;
  error_code failure;
  self->acceptor.open(self->listening_on.protocol(), failure);
  if (!failure) self->acceptor.set_option(tcp::acceptor::reuse_address(true), failure);
  if (!failure) self->acceptor.bind(self->listening_on, failure);
  if (!failure) self->acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) self->refuse_connections(std::chrono::milliseconds(10));
}

void http_server::impl::refuse_connections(std::chrono::milliseconds time) {
  error_code ignored;
  acceptor.close(ignored);
  closed_until.expires_after(time);
}

task<void> http_server::impl::act_later(std::shared_ptr<impl> self, request r, std::chrono::milliseconds delay) {
  asio::steady_timer timer(self->acceptor.get_executor(), delay);
  const auto at = self->delayed.insert(self->delayed.end(), &timer);
  co_await timer.async_wait(as_result);
  self->delayed.erase(at);
  if (!self->stopped) self->hooks.handle(r);
}

task<void> http_server::impl::serve(std::shared_ptr<impl> self, tcp::socket socket) {
  peer p(*self, std::move(socket));
  while (co_await self->read_request(p)) {
    // Many requests may come in one go: each is answered before the next is looked at.
    const bool more = co_await self->answer_request(p);
    if (!more) break;
    p.reader.next();
  }
  self->peers.erase(p.at);
}

/// False: the connection is over.
task<bool> http_server::impl::read_request(peer& p) {
  using enum request_reader::state;
  while (p.reader.now() == head || p.reader.now() == body) {
    if (p.reader.take_expectation()) {
      static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
      const auto [failure, written] = co_await asio::async_write(p.socket, asio::buffer(go_on), as_result);
      if (failure) co_return false;
    }
    const std::span<char> room = p.reader.room();
    const auto [failure, count] = co_await p.socket.async_read_some(asio::buffer(room.data(), room.size()), as_result);
    if (failure) co_return false;
    p.reader.received(count);
    // The usual request, from its first byte to its answer's last, without another wait.
    while (p.reader.now() == done && answered_at_once(p)) p.reader.next();
  }
  if (p.reader.now() == done) co_return true;
  response refusal;
  refusal.status = p.reader.status();
  co_await write_answer(p, refusal, false);
  co_return false;
}

/// False: the fault, or the rest of the answer, is still to come.
bool http_server::impl::answered_at_once(peer& p) {
  const request& r = p.reader.message();
  p.met = hooks.fault_for ? hooks.fault_for(r) : std::nullopt;
  p.unwritten = 0;
  if (p.met) return false;
  p.answer = hooks.handle(r);
  p.head.clear();
  append_head(p.head, p.answer, p.reader.keep_alive());
  const bool joined = p.answer.body.size() <= small_body;
  if (joined) p.head += p.answer.body;
  error_code failure;
  const std::size_t written = joined ? p.socket.write_some(asio::buffer(p.head), failure) : 0;
  // A failure shows once more when the rest is written.
  p.unwritten = p.head.size() - written + (joined ? 0 : p.answer.body.size());
  return p.unwritten == 0 && p.reader.keep_alive();
}

task<bool> http_server::impl::answer_request(peer& p) {
  if (p.met) co_return co_await suffer(p, *p.met);
  const bool joined = p.answer.body.size() <= small_body;
  if (p.unwritten != 0) {
    const std::size_t written = p.head.size() + (joined ? 0 : p.answer.body.size()) - p.unwritten;
    const std::array buffers{asio::buffer(p.head) + written,
                             joined ? asio::mutable_buffer() : asio::buffer(p.answer.body)};
    const auto [failure, count] = co_await asio::async_write(p.socket, buffers, as_result);
    if (failure) co_return false;
  }
  co_return p.reader.keep_alive();
}

task<bool> http_server::impl::write_answer(peer& p, const response& answer, bool keep_alive) {
  p.head.clear();
  append_head(p.head, answer, keep_alive);
  const std::array buffers{asio::buffer(std::as_const(p.head)), asio::buffer(answer.body)};
  const auto [failure, written] = co_await asio::async_write(p.socket, buffers, as_result);
  co_return !failure && keep_alive;
}

task<bool> http_server::impl::suffer(peer& p, fault f) {
  using enum fault_kind;
  const request& r = p.reader.message();
  const bool keep_alive = p.reader.keep_alive();
  if (f.kind == closed_before) co_return false;
  if (f.kind == reset || f.kind == refused) {
    // In this order: whoever sees the reset is refused when it comes again.
    if (f.kind == refused) refuse_connections(f.delay);
    impl::reset(p);
    co_return false;
  }
  if (f.kind == late_effect) {
    asio::co_spawn(acceptor.get_executor(), act_later(shared_from_this(), r, f.delay), asio::detached);
    co_return false;
  }
  response answer = socket_faults::prevents(f.kind) ? hooks.stand_in(f, r) : hooks.handle(r);
  if (f.kind == lost_answer) co_return false;
  if (f.kind == late) co_await pause(p, f.delay);
  if (f.kind == flipped_byte) flip(f, answer.body);
  if (r.method == "HEAD") answer.body.clear();
  if (f.kind == cut_head || f.kind == cut_body || f.kind == slow_drip) {
    std::string bytes;
    append_head(bytes, answer, keep_alive);
    const std::size_t head_bytes = bytes.size();
    bytes += answer.body;
    if (f.kind == slow_drip) co_return co_await drip(p, std::move(bytes), f.delay);
    bytes.resize(cut_at(f, head_bytes, answer.body.size()));
    co_await asio::async_write(p.socket, asio::buffer(bytes), as_result);
    co_return false;
  }
  const bool more = co_await write_answer(p, answer, keep_alive);
  co_return more&& f.kind != closed_after;
}

task<bool> http_server::impl::drip(peer& p, std::string bytes, std::chrono::milliseconds time) {
  const std::size_t piece = bytes.size() / drip_pieces + 1;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = asio::buffer(bytes.data() + at, std::min(piece, bytes.size() - at));
    const auto [failure, written] = co_await asio::async_write(p.socket, part, as_result);
    if (failure) co_return false;
    co_await pause(p, time);
  }
  co_return p.reader.keep_alive();
}

task<void> http_server::impl::pause(peer& p, std::chrono::milliseconds time) {
  p.timer.expires_after(time);
  co_await p.timer.async_wait(as_result);
}

void http_server::impl::reset(peer& p) {
  error_code ignored;
  p.socket.set_option(asio::socket_base::linger(true, 0), ignored);
  p.socket.close(ignored);
}

http_server::http_server(asio::io_context& context, std::uint16_t port, request_reader::limits limits,
                         server_hooks hooks)
    : impl_(std::make_shared<impl>(context, port, limits, std::move(hooks))) {
  asio::co_spawn(context, impl::accept(impl_), asio::detached);
}

http_server::~http_server() { stop(); }

std::uint16_t http_server::port() const { return impl_->listening_on.port(); }

void http_server::stop() {
  error_code ignored;
  impl_->stopped = true;
  impl_->acceptor.close(ignored);
  impl_->closed_until.cancel();
  for (asio::steady_timer* const t : impl_->delayed) t->cancel();
  for (impl::peer* const p : impl_->peers) {
    p->timer.cancel();
    p->socket.close(ignored);
  }
}

}  // namespace dynabackup::fakes
