// Whom we believe over TLS, and why we did not: the trust store, loaded on first use, and readable reasons for
// refusals.
#pragma once
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>
#include <vector>

struct ssl_st;
namespace boost::asio::ssl {
class context;
}

namespace dynabackup::http {

/// Where a system keeps the authorities it trusts.
struct system_trust {
  std::string folder;                ///< the one compiled into OpenSSL
  std::vector<std::string> bundles;  ///< what counts where that folder does not exist: the first that can be read
  static system_trust usual();
};

class tls_trust {
 public:
  /// Empty: SSL_CERT_FILE's, SSL_CERT_DIR's or the system's authorities. The file is read on first use.
  explicit tls_trust(std::string ca_bundle, system_trust system = system_trust::usual());
  ~tls_trust();

  /// TLS 1.2 or newer, AEAD ciphers only, peers verified. A bundle that cannot be read is a usage_error naming it.
  boost::asio::ssl::context& context();

 private:
  void load_authorities(boost::asio::ssl::context& into) const;

  std::string ca_bundle_;
  system_trust system_;
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
