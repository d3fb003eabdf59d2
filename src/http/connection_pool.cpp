#include "http/connection_pool.hpp"

#include <algorithm>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <ctime>
#include <utility>
#include <vector>

#include "dynabackup/error.hpp"
#include "http/connection.hpp"
#include "http/name_cache.hpp"
#include "http/tls_trust.hpp"

namespace dynabackup::http {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto address_lifetime = 30s;
// A connection that rested longer is looked at before use; a busier one is spared the system call.
constexpr auto rest_without_check = 250ms;
constexpr std::chrono::milliseconds longest_attempt = 24h;

// When a connection came to rest. The steady clock stands still while the machine does (a frozen Lambda function, a
// suspended laptop), and then takes what is long dead for fresh: of two clocks that go on, the one that saw more
// counts.
struct moment {
  std::chrono::nanoseconds since_boot{};
  std::chrono::system_clock::time_point by_the_wall{};

  static moment now() {
    timespec t{};
    clock_gettime(CLOCK_BOOTTIME, &t);
    return {std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec}, std::chrono::system_clock::now()};
  }
  [[nodiscard]] std::chrono::nanoseconds since(const moment& earlier) const {
    return std::max<std::chrono::nanoseconds>(since_boot - earlier.since_boot, by_the_wall - earlier.by_the_wall);
  }
};

class idle_connections;

// Sockets must not outlive their io_context, a pool may: the context says when it ends.
class idle_sweeper final : public asio::execution_context::service {
 public:
  static inline asio::execution_context::id id;
  explicit idle_sweeper(asio::execution_context& context) : service(context) {}
  void enter(idle_connections* store) {
    if (std::ranges::find(stores_, store) == stores_.end()) stores_.push_back(store);
  }
  void leave(idle_connections* store) { std::erase(stores_, store); }

 private:
  void shutdown() override;
  std::vector<idle_connections*> stores_;
};

// Kept-alive connections of one io_context at a time, the most recently used last.
class idle_connections {
 public:
  idle_connections(std::size_t limit, std::chrono::milliseconds lifetime) : limit_(limit), lifetime_(lifetime) {}
  idle_connections(const idle_connections&) = delete;
  idle_connections& operator=(const idle_connections&) = delete;
  ~idle_connections() {
    if (sweeper_ != nullptr) sweeper_->leave(this);
  }

  std::unique_ptr<connection> take(const origin& to, const asio::any_io_executor& executor) {
    const moment now = moment::now();
    std::erase_if(idle_, [&](const resting& each) { return now.since(each.since) > lifetime_; });
    for (auto it = idle_.end(); it != idle_.begin();) {
      --it;
      if (it->line->to() != to || it->line->executor() != executor) continue;
      resting found = std::move(*it);
      it = idle_.erase(it);
      if (now.since(found.since) < rest_without_check || found.line->quiet()) return std::move(found.line);
    }
    return nullptr;
  }

  void keep(std::unique_ptr<connection> c) {
    if (!c->reusable() || limit_ == 0) return;
    belong_to(asio::query(c->executor(), asio::execution::context));
    if (idle_.size() >= limit_) idle_.erase(idle_.begin());
    idle_.push_back({std::move(c), moment::now()});
  }

  void context_ends() {
    idle_.clear();
    sweeper_ = nullptr;
    context_ = nullptr;
  }

 private:
  struct resting {
    std::unique_ptr<connection> line;
    moment since;
  };

  void belong_to(asio::execution_context& context) {
    if (context_ == &context) return;
    idle_.clear();
    if (sweeper_ != nullptr) sweeper_->leave(this);
    context_ = &context;
    sweeper_ = &asio::use_service<idle_sweeper>(context);
    sweeper_->enter(this);
  }

  std::size_t limit_;
  std::chrono::milliseconds lifetime_;
  std::vector<resting> idle_;
  asio::execution_context* context_ = nullptr;
  idle_sweeper* sweeper_ = nullptr;
};

void idle_sweeper::shutdown() {
  for (idle_connections* store : std::exchange(stores_, {})) store->context_ends();
}

}  // namespace

struct connection_pool::impl {
  explicit impl(pool_settings s)
      : settings(std::move(s)),
        trust(settings.ca_bundle),
        names(address_lifetime),
        idle(settings.max_idle, settings.idle_timeout) {}

  task<std::unique_ptr<connection>> dial(const origin& to, asio::any_io_executor executor, connection::limits time);

  /// Back to the idle ones, unless the server behind it is in trouble: the retry is to meet another one.
  void settle(std::unique_ptr<connection> line, const response& answer) {
    if (answer.status < 500 && answer.status != 408) idle.keep(std::move(line));
  }

  pool_settings settings;
  tls_trust trust;
  name_cache names;
  idle_connections idle;
  std::size_t dials = 0;
};

task<std::unique_ptr<connection>> connection_pool::impl::dial(const origin& to, asio::any_io_executor executor,
                                                              connection::limits time) {
  if (to.tls) trust.context();  // an unreadable bundle is told before anything else
  ++dials;
  time.step = settings.connect_timeout;
  const auto until = std::min(time.attempt_ends, steady_clock::now() + time.step);
  std::vector<asio::ip::address> addresses = co_await names.lookup(to, until);
  auto line = std::make_unique<connection>(executor, to, trust);
  try {
    co_await line->connect(std::move(addresses), time);
  } catch (const transport_error&) {
    names.forget(to.host);
    throw;
  }
  if (to.tls) {
    time.step = settings.tls_timeout;
    co_await line->handshake(time);
  }
  co_return line;
}

connection_pool::connection_pool(pool_settings settings) : impl_(std::make_unique<impl>(std::move(settings))) {}
connection_pool::~connection_pool() = default;

task<response> connection_pool::send(request& r) {
  impl& pool = *impl_;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const auto allowed = std::min(r.attempt_timeout, longest_attempt);
  const connection::limits time{allowed, allowed, steady_clock::now() + allowed};
  std::unique_ptr<connection> line = pool.idle.take(r.to, executor);
  const bool reused = line != nullptr;
  if (reused) {
    try {
      response answer = co_await line->exchange(r, pool.settings.max_header_bytes, time);
      pool.settle(std::move(line), answer);
      co_return answer;
    } catch (const transport_error&) {
      if (!line->went_stale()) throw;
    }
  }
  // The connection that had gone stale may have carried the request to the service.
  try {
    line = co_await pool.dial(r.to, executor, time);
    response answer = co_await line->exchange(r, pool.settings.max_header_bytes, time);
    answer.unsettled = reused;
    pool.settle(std::move(line), answer);
    co_return answer;
  } catch (transport_error& e) {
    if (reused) e.where = transport_error::stage::after_send;
    throw;
  }
}

std::size_t connection_pool::dials() const { return impl_->dials; }

}  // namespace dynabackup::http
