// HTTP/1.1 over kept-alive connections, one pool for all origins of a service: our serialiser and one write a request,
// Beast's parser fed by hand, one re-armed timer a connection. The innermost transport.
#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include "dynabackup/transport.hpp"

namespace dynabackup::http {

struct pool_settings {
  std::size_t max_idle = 32;  ///< connections kept for reuse; how many run at once is the semaphore's business
  std::chrono::milliseconds connect_timeout{3'100};
  std::chrono::milliseconds tls_timeout{3'100};
  std::chrono::milliseconds idle_timeout{20'000};  ///< an older idle connection is closed, not reused
  std::size_t max_header_bytes = 64 * 1024;
  std::string ca_bundle;  ///< PEM file; empty = SSL_CERT_FILE's or the system's. Read on first TLS use
};

class connection_pool final : public transport {
 public:
  explicit connection_pool(pool_settings settings);
  ~connection_pool() override;

  /// A reset on a reused connection before any response byte is retried once on a fresh one (RFC 9112 9.3.1: the server
  /// may close an idle connection at any time; S3 and DynamoDB requests we send are idempotent by value).
  /// After any failure the connection is dropped. The body is charged to r.budget before it is read.
  task<response> send(request& r) override;

  [[nodiscard]] std::size_t dials() const;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace dynabackup::http
