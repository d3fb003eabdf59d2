// A small HTTP/1.1 server for tests: many kept-alive connections, one thread, a function that answers, and faults on
// the way if wanted.
#pragma once
#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>

#include "dynabackup/http.hpp"
#include "fakes/server/request_reader.hpp"
#include "fakes/server/socket_faults.hpp"

namespace dynabackup::fakes {

struct server_hooks {
  /// Answers a request; must not throw. Its effect is done when it returns.
  std::function<response(const request&)> handle;
  /// What happens to a request on its way; may be empty. Called once for each, before `handle`.
  std::function<std::optional<fault>(const request&)> fault_for;
  /// The answer to a fault that stands in for the service.
  std::function<response(const fault&, const request&)> stand_in;
};

class http_server {
 public:
  /// Listens on 127.0.0.1; port 0 = any that is free. Throws boost::system::system_error when it cannot.
  http_server(boost::asio::io_context& context, std::uint16_t port, request_reader::limits limits, server_hooks hooks);
  ~http_server();

  [[nodiscard]] std::uint16_t port() const;
  /// No more connections; those that are there are closed.
  void stop();

 private:
  struct impl;
  std::shared_ptr<impl> impl_;
};

}  // namespace dynabackup::fakes
