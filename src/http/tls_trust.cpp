#include "http/tls_trust.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <filesystem>
#include <openssl/ssl.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>
#include <utility>

#include "dynabackup/error.hpp"

namespace dynabackup::http {

namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

bool exists(const std::string& path) {
  std::error_code unknown;
  return std::filesystem::exists(path, unknown);
}

bool is_empty(SSL_CTX* context) {
  return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(context))) <= 0;
}

std::string nothing_found() {
  const system_trust usual = system_trust::usual();
  std::string places = usual.folder;
  for (const std::string& bundle : usual.bundles) places += ", " + bundle;
  return "this machine has no certificate authorities (looked at " + places +
         "): install ca-certificates, or name a PEM file in AWS_CA_BUNDLE";
}

std::string advice(const ssl_st* session, long reason) {
  switch (reason) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "the certificate belongs to another host: check the endpoint's URL";
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "check the server's certificate and this machine's clock";
    default:
      break;
  }
  if (is_empty(SSL_get_SSL_CTX(session)) && !exists(system_trust::usual().folder)) return nothing_found();
  return "if a private authority signed it, name that authority's PEM file in AWS_CA_BUNDLE";
}

}  // namespace

system_trust system_trust::usual() {
  return {.folder = X509_get_default_cert_dir(),
          .bundles = {"/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
                      "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem"}};
}

tls_trust::tls_trust(std::string ca_bundle, system_trust system)
    : ca_bundle_(std::move(ca_bundle)), system_(std::move(system)) {}
tls_trust::~tls_trust() = default;

ssl::context& tls_trust::context() {
  if (context_) return *context_;
  auto made = std::make_unique<ssl::context>(ssl::context::tls_client);
  SSL_CTX* const native = made->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // AES-128 first: a tenth cheaper on bulk than AES-256, and enough.
  SSL_CTX_set_ciphersuites(native, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256");
  SSL_CTX_set_cipher_list(native,
                          "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+AESGCM:ECDHE+CHACHA20");
  made->set_verify_mode(ssl::verify_peer);
  load_authorities(*made);
  context_ = std::move(made);
  return *context_;
}

void tls_trust::load_authorities(ssl::context& into) const {
  error_code unreadable;
  if (!ca_bundle_.empty()) {
    into.load_verify_file(ca_bundle_, unreadable);
    if (unreadable) {
      throw usage_error("cannot read certificate authorities from '" + ca_bundle_ + "': " + unreadable.message());
    }
    return;
  }
  into.set_default_verify_paths(unreadable);
  if (unreadable) throw usage_error("cannot load the system's certificate authorities: " + unreadable.message());
  // OpenSSL looks where the distribution it was built for keeps them. Linked statically it runs on others as well.
  if (!is_empty(into.native_handle()) || exists(system_.folder)) return;
  for (const std::string& bundle : system_.bundles) {
    into.load_verify_file(bundle, unreadable);
    if (!unreadable) return;
  }
}

void expect_host(ssl_st* session, const std::string& host) {
  error_code not_an_address;
  boost::asio::ip::make_address(host, not_an_address);
  bool accepted = false;
  if (not_an_address) {
    accepted = SSL_set_tlsext_host_name(session, host.c_str()) == 1 && SSL_set1_host(session, host.c_str()) == 1;
  } else {
    accepted = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1;
  }
  if (!accepted) throw usage_error("not a host name that TLS can ask for: " + host);
}

handshake_failure explain_handshake(const ssl_st* session, const error_code& failure) {
  if (failure == boost::asio::error::eof || failure == ssl::error::stream_truncated) {
    return {"the server closed the connection during the TLS handshake", true};
  }
  if (failure.category() != boost::asio::error::get_ssl_category()) {
    return {"TLS handshake failed: " + failure.message(), true};
  }
  switch (ERR_GET_REASON(static_cast<unsigned long>(failure.value()))) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: {
      const long reason = SSL_get_verify_result(session);
      return {std::string("the server's certificate was refused: ") + X509_verify_cert_error_string(reason) + "; " +
                  advice(session, reason),
              false};
    }
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_HTTP_REQUEST:
      return {"the server does not speak TLS on this port; should the endpoint's URL begin with http://?", false};
    default:
      return {"TLS handshake failed: " + failure.message(), false};
  }
}

}  // namespace dynabackup::http
