// Whom we believe over TLS, and why we did not: the trust store, loaded on first use, and readable reasons for
// refusals.
#pragma once
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

struct ssl_st;
namespace boost::asio::ssl {
class context;
}

namespace dynabackup::http {

class tls_trust {
 public:
  /// Empty: SSL_CERT_FILE's or the system's authorities. The file is read on first use.
  explicit tls_trust(std::string ca_bundle);
  ~tls_trust();

  /// TLS 1.2 or newer, AEAD ciphers only, peers verified. A bundle that cannot be read is a usage_error naming it.
  boost::asio::ssl::context& context();

 private:
  std::string ca_bundle_;
  std::unique_ptr<boost::asio::ssl::context> context_;
};

/// Makes a session ask for `host` (SNI) and accept only a certificate for it, name or address.
void expect_host(ssl_st* session, const std::string& host);

struct handshake_failure {
  std::string what;
  bool retryable = true;
};
handshake_failure explain_handshake(const ssl_st* session, const boost::system::error_code& failure);

}  // namespace dynabackup::http
