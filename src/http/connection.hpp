// One connection to one origin, plain or TLS: dialled once, then one exchange after another. After a failure it is
// only good for being dropped, which ends whatever it had under way.
#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "dynabackup/transport.hpp"

namespace dynabackup::http {

class tls_trust;

class connection {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// How long a step may take, and by when the attempt that it belongs to must be over.
  struct limits {
    std::chrono::milliseconds step;
    std::chrono::milliseconds attempt;
    time_point attempt_ends;
    /// How long an answer may take once it has begun; zero: as long as the attempt.
    std::chrono::milliseconds answer{0};
  };

  /// `trust` is used for a TLS origin only and must outlive the connection.
  connection(const boost::asio::any_io_executor& executor, origin to, tls_trust& trust);
  ~connection();

  task<void> connect(std::vector<boost::asio::ip::address> addresses, limits time);
  task<void> handshake(limits time);
  /// `r` must live until the task ends.
  task<response> exchange(request& r, std::size_t max_header_bytes, limits time);

  [[nodiscard]] const origin& to() const;
  [[nodiscard]] boost::asio::any_io_executor executor() const;
  /// After an exchange: whether another may follow.
  [[nodiscard]] bool reusable() const;
  /// After a failed exchange: no answer had begun and no time-out struck, as when the server had closed an idle
  /// connection.
  [[nodiscard]] bool went_stale() const;
  /// Whether nothing came in while the connection was idle: no end of stream, no unasked-for bytes.
  [[nodiscard]] bool quiet() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace dynabackup::http
